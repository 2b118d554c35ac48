/**
 * The workspace is the agent's to write: what it leaves there for codex must not run outside the
 * sandbox, and codex's own configuration stays the user's.
 */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { capabilitiesOf } from "../../runner/codex/capabilities.ts";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";
import { configOf, EVERY_WAY } from "./world.ts";

/** An MCP server that codex would start itself, with all that the user may do. */
function plant(workspace: string, trace: string): void {
  Deno.mkdirSync(join(workspace, ".codex"));
  Deno.writeTextFileSync(
    join(workspace, ".codex", "config.toml"),
    `[mcp_servers.planted]\ncommand = "/bin/sh"\nargs = ["-c", "touch ${trace}"]\n`,
  );
}

/** A workspace with that server in it, and what the server leaves when it is started. */
async function planted(way: string, trusted: boolean) {
  const { binary, config } = await configOf(way);
  const sandbox = await openSandbox({
    binary,
    config: { ...config, trust_workspace: trusted },
    steps: [{ text: "done" }],
  });
  const trace = join(sandbox.codexHome, "planted");
  plant(sandbox.workspace, trace);
  return {
    sandbox,
    trace,
    async turn(): Promise<string> {
      await using host = await startHost({ env: sandbox.env });
      await host.initialize();
      const turn = host.stream({
        model: "codex",
        agent: { agent_id: "cx", workspace: sandbox.workspace },
        request: { messages: [{ role: "user", content: "hi" }] },
      });
      return (await turn.result).stop_reason;
    },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

/** Those that called a workspace trusted in the user's configuration, unasked. */
const UNASKED = EVERY_WAY.filter((way) =>
  capabilitiesOf(`codex-cli ${way.split(" ")[0]}`)?.trustsUnasked
);

for (const version of UNASKED) {
  Deno.test(`codex ${version} does not start an MCP server that the workspace names where it trusted that by itself`, async () => {
    await using it = await planted(version, false);
    const userConfig = join(it.sandbox.codexHome, "config.toml");
    const entry = `\n[projects."${it.sandbox.workspace}"]\ntrust_level = "trusted"\n`;
    Deno.writeTextFileSync(userConfig, entry, { append: true });
    assert.equal(await it.turn(), "end_turn");
    assert.equal(existsSync(it.trace), false);
  });
}

for (const version of EVERY_WAY) {
  for (const trusted of [false, true]) {
    Deno.test(`codex ${version} ${trusted ? "starts" : "does not start"} an MCP server that the workspace names when trust_workspace is ${trusted}`, async () => {
      await using it = await planted(version, trusted);
      const userConfig = join(it.sandbox.codexHome, "config.toml");
      const before = Deno.readFileSync(userConfig);
      assert.equal(await it.turn(), "end_turn");
      assert.equal(existsSync(it.trace), trusted);
      assert.deepEqual(Deno.readFileSync(userConfig), before, "config.toml is the user's");
    });
  }
}
