/**
 * The workspace is the agent's to write: what it leaves there for codex must not run outside the
 * sandbox, and codex's own configuration stays the user's.
 */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "@std/path";
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

for (const version of EVERY_WAY) {
  for (const trusted of [false, true]) {
    Deno.test(`codex ${version} ${trusted ? "starts" : "does not start"} an MCP server that the workspace names when trust_workspace is ${trusted}`, async () => {
      const { binary, config } = await configOf(version);
      await using sandbox = await openSandbox({
        binary,
        config: { ...config, trust_workspace: trusted },
        steps: [{ text: "done" }],
      });
      const trace = join(sandbox.codexHome, "planted");
      plant(sandbox.workspace, trace);
      const userConfig = join(sandbox.codexHome, "config.toml");
      const before = Deno.readFileSync(userConfig);
      await using host = await startHost({ env: sandbox.env });
      await host.initialize();
      const turn = host.stream({
        model: "codex",
        agent: { agent_id: "cx", workspace: sandbox.workspace },
        request: { messages: [{ role: "user", content: "hi" }] },
      });
      assert.equal((await turn.result).stop_reason, "end_turn");
      assert.equal(existsSync(trace), trusted);
      assert.deepEqual(Deno.readFileSync(userConfig), before, "config.toml is the user's");
    });
  }
}
