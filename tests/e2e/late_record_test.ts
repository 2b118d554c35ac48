/** A host tool call that codex begins before the call's record is in the rollout. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { METHOD } from "../../plugin/protocol.ts";
import { executable } from "../support/checkout.ts";
import { within } from "../support/deadline.ts";
import { began, completed, said } from "../support/fake_codex.ts";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";
import { asks } from "./world.ts";

const rpc = (method: string, more: Record<string, unknown> = {}) =>
  JSON.stringify({ jsonrpc: "2.0", method, ...more });

/** What codex 0.135 says to a server when it begins … */
const GREETING = [
  rpc("initialize", {
    id: 1,
    params: {
      protocolVersion: "2025-06-18",
      capabilities: {},
      clientInfo: { name: "codex", version: "0.135.0" },
    },
  }),
  rpc("notifications/initialized"),
].join("\n");
/** … and when it calls a tool; the answer to the `ping` behind it shows that the call was heard. */
const CALL = [
  rpc("tools/call", { id: 2, params: { name: "tide", arguments: { place: "x" } } }),
  rpc("ping", { id: 3 }),
].join("\n");

Deno.test("host tool call without an id is told with that of its record, also where that comes later", async () => {
  const { command, args } = await executable();
  const relay = [command, ...args, "mcp-host"].map((word) => `"${word}"`).join(" ");
  await using sandbox = await openSandbox({
    binary: {
      version: "0.135.0",
      acts: [
        {
          child: {
            name: "relay",
            run:
              `(cat greeting; until [ -e go ]; do sleep 0.01; done; cat call; exec sleep 1000000)` +
              ` | ${relay} > answers`,
          },
        },
        { waitFor: "turn" },
        began(),
        { print: { type: "turn.started" } },
        { waitFor: "record" },
        {
          rollout: [{
            type: "response_item",
            payload: {
              type: "function_call",
              namespace: "mcp__plexum_host",
              name: "tide",
              arguments: '{"place":"x"}',
              call_id: "call_late",
            },
          }],
        },
        { waitFor: "end" },
        said("done"),
        completed(),
      ],
    },
  });
  const file = (name: string) => join(sandbox.workspace, name);
  Deno.writeTextFileSync(file("greeting"), GREETING + "\n");
  Deno.writeTextFileSync(file("call"), CALL + "\n");
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const called = Promise.withResolvers<unknown>();
  host.onRequest(METHOD.hostToolCall, ({ call_id }) => {
    called.resolve(call_id);
    return { content: [] };
  });
  const tools = [{ name: "tide", inputSchema: { type: "object" } }];
  const turn = host.stream(asks(sandbox.workspace, "hello", { tools }));
  await within(answered(1, file("answers")), "the relay is connected");
  await sandbox.fake.pull("turn");
  await turn.until("message_start");
  Deno.writeTextFileSync(file("go"), "");
  await within(answered(3, file("answers")), "the call was heard");
  await sandbox.fake.pull("record");
  assert.equal(await called.promise, "call_late");
  await sandbox.fake.pull("end");
  assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
});

/** Resolves when the relay has brought the answer to that request. */
async function answered(id: number, answers: string): Promise<void> {
  while (!(await Deno.readTextFile(answers).catch(() => "")).includes(`"id":${id}`)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
