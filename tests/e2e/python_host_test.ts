/**
 * docs/examples/host.py: a host in another language, written from docs/protocol.md and docs/schema
 * alone, against the compiled plugin and a real codex.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { executable, ROOT } from "../support/checkout.ts";
import { codexBinary, NEWEST_CODEX } from "../support/codex.ts";
import { callOutput } from "../support/model/request.ts";
import { openSandbox } from "../support/sandbox.ts";
import { skipped } from "../support/skipped.ts";

const HOST = join(ROOT, "docs", "examples", "host.py");

/** Runs python3; undefined where there is none. */
async function python(args: string[], env?: Record<string, string>) {
  const options = env === undefined ? {} : { env, clearEnv: true };
  const command = new Deno.Command(interpreter, { args, ...options });
  const { code, stdout, stderr } = await command.output();
  const [out = "", err = ""] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}

/** The interpreter itself: what a PATH names may be a shim that wants its own HOME. */
let interpreter = "python3";
try {
  interpreter = (await python(["-c", "import sys; print(sys.executable)"])).out.trim();
} catch {
  interpreter = "";
}
const ignore = skipped(interpreter === "", "the host in Python: there is no python3");

for (const transport of ["exec", "app-server"]) {
  Deno.test({
    name:
      `host written in Python plays a turn, lends a tool, cancels, consumes and leaves, by ${transport}`,
    ignore,
    fn: async () => {
      const { native } = await codexBinary(NEWEST_CODEX);
      await using sandbox = await openSandbox({
        binary: native,
        config: { transport },
        steps: [
          {
            items: [{
              type: "function_call",
              namespace: "mcp__plexum_host",
              name: "tide",
              args: { place: "Petrel Point" },
              call_id: "call_tide",
            }],
            usage: { input_tokens: 1000, output_tokens: 20 },
          },
          (request) => ({
            text: `I was told: ${callOutput(request, "call_tide")?.match(/06:\d\d/)}`,
            usage: { input_tokens: 1100, output_tokens: 9 },
          }),
          { hang: true },
        ],
      });
      const { command, args } = await executable();
      const { code, out, err } = await python(
        [HOST, sandbox.workspace, command, ...args],
        sandbox.env,
      );
      assert.equal(err, "");
      assert.deepEqual(
        out.trim().split("\n").slice(1).map((line) =>
          line.replace(/ {2,}/, ": ").replace(/Wall time.*?Output:\\n/, "")
        ),
        [
          "call: tide of the host (call_tide)",
          'result: "High water at Petrel Point: 06:42"',
          "end: end_turn, 2100 tokens in, 29 out",
          "text: I was told: 06:42",
          "end: cancelled, 0 tokens in, 0 out",
          "consumed: 1 of 1, 0 deferred",
          "stats: 1 ended, 1 cancelled",
          "exit: 0",
        ],
      );
      assert.equal(code, 0);
    },
  });
}

Deno.test({
  name: "host written in Python tells a message that does not keep to its schema",
  ignore,
  fn: async () => {
    const told = async (name: string, value: unknown) => {
      const call = `import host, json; host.check("${name}", json.loads(r'''${
        JSON.stringify(value)
      }'''))`;
      const path = { PYTHONPATH: join(HOST, ".."), PYTHONDONTWRITEBYTECODE: "1" };
      const { err } = await python(["-c", call], path);
      return err.trim().split("\n").at(-1);
    };
    const event = { request_id: 1, seq: 0, event: { type: "text_delta", index: 0, text: "a" } };
    assert.equal(await told("stream.event", event), "");
    assert.equal(await told("stream.event", { ...event, event: { type: "of a later time" } }), "");
    assert.match(
      `${await told("stream.event", { ...event, event: { type: "text_delta" } })}`,
      /^AssertionError: stream\.event: \$\.event: does not fit exactly one of 11 shapes/,
    );
    assert.match(
      `${await told("stream.params", { request: { messages: [] }, agent: {} })}`,
      /^AssertionError: stream\.params: \$\.agent: has no workspace$/,
    );
    const failure = { kind: "of a later time", message: "no", retryable: true };
    assert.equal(await told("error", failure), "");
    assert.match(
      `${await told("error", { ...failure, retryable: 1 })}`,
      /expected boolean, found 1/,
    );
  },
});
