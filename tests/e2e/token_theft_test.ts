/** The token of a turn in the hands of a process that is not that turn's codex. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { METHOD } from "../../plugin/protocol.ts";
import { command } from "../support/model/items.ts";
import { within } from "../support/deadline.ts";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";
import { Stranger } from "../mcp_host/stranger.ts";
import { configOf, EVERY_WAY } from "./world.ts";
import { skipped } from "../support/skipped.ts";

const TOKEN = "PLEXUM_MCP_TOKEN";

for (const way of EVERY_WAY) {
  Deno.test({
    name: `token of a turn on codex ${way} is in no file, and is worth nothing to another process`,
    ignore: skipped(Deno.build.os !== "linux", "it looks into /proc"),
    async fn() {
      const item = {
        type: "function_call" as const,
        namespace: "mcp__plexum_host",
        name: "secret",
        args: {},
      };
      const { binary, config } = await configOf(way);
      await using sandbox = await openSandbox({
        binary,
        config,
        steps: [
          { items: [command("true")] },
          { items: [item] },
          { text: "done" },
        ],
      });
      // As codex is by default: the world of the tests leaves shell snapshots out.
      const toml = join(sandbox.codexHome, "config.toml");
      const lean = await Deno.readTextFile(toml);
      assert.ok(lean.includes("shell_snapshot = false"));
      await Deno.writeTextFile(
        toml,
        lean.replace("shell_snapshot = false", "shell_snapshot = true"),
      );
      await using host = await startHost({ env: sandbox.env });
      await host.initialize();
      const theft = Promise.withResolvers<string>();
      let calls = 0;
      host.onRequest(METHOD.hostToolCall, async () => {
        calls++;
        try {
          assert.deepEqual(await filesWith(sandbox.codexHome, TOKEN + "="), []);
          theft.resolve(await steal(sandbox.runtime));
        } catch (error) {
          theft.reject(error);
        }
        return { content: [] };
      });
      const turn = host.stream({
        agent: { agent_id: "cx", workspace: sandbox.workspace },
        request: {
          messages: [{ role: "user", content: "go" }],
          tools: [{ name: "secret", inputSchema: { type: "object" } }],
        },
      });
      // A call that never reaches the handler above would be waited for without end.
      const heard = await within(theft.promise, "the theft", () => turn.story());
      assert.match(heard, /"admitted":true/, "the stolen token is the right one");
      assert.doesNotMatch(heard, /"name":"secret"|"content"/, "and opens nothing");
      assert.equal((await turn.end()).stop_reason, "end_turn");
      assert.equal(calls, 1);
      const told = turn.of("status").map(({ message }) => message).join("\n");
      assert.match(told, /process \d+ showed the token, but is not codex's/);
    },
  });
}

/** Reads the token out of codex's own environment, as any process of this user can, and uses it. */
async function steal(runtime: string): Promise<string> {
  const env = await environmentOfRelay(runtime);
  using thief = await Stranger.connect(env.PLEXUM_MCP_SOCKET ?? "");
  const hello = {
    plexum_mcp: 2,
    agent_id: env.PLEXUM_MCP_AGENT_ID,
    token: env[TOKEN],
    pid: Deno.pid,
  };
  const params = { name: "secret", arguments: {} };
  const asked = [
    hello,
    { jsonrpc: "2.0", id: 1, method: "tools/list" },
    { jsonrpc: "2.0", id: 2, method: "tools/call", params },
  ];
  await thief.say(asked.map((each) => JSON.stringify(each) + "\n").join(""));
  return await thief.heard();
}

async function environmentOfRelay(runtime: string): Promise<Record<string, string>> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const text = await Deno.readTextFile(`/proc/${name}/environ`).catch(() => "");
    if (!text.includes(`PLEXUM_MCP_SOCKET=${runtime}/`)) continue;
    return Object.fromEntries(text.split("\0").map((line) => line.split(/=(.*)/s).slice(0, 2)));
  }
  throw new Error("no process has the token in its environment");
}

async function filesWith(folder: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) found.push(...await filesWith(path, text));
    if (!isFile) continue;
    const content = await Deno.readTextFile(path).catch(() => "");
    if (content.includes(text)) found.push(path);
  }
  return found;
}
