/** The MCP servers of codex's own config.toml, beside the host's tools. */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { codexBinary, MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";

for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
  for (const setting of ["keep", "disable"]) {
    Deno.test(`codex ${version} ${setting === "keep" ? "starts" : "does not start"} the user's own MCP servers when user_mcp_servers is "${setting}"`, async () => {
      const { native } = await codexBinary(version);
      await using sandbox = await openSandbox({
        binary: native,
        config: { user_mcp_servers: setting },
        steps: [{ text: "done" }, { text: "done" }],
      });
      const userConfig = join(sandbox.codexHome, "config.toml");
      const trace = (name: string): string => join(sandbox.codexHome, `started-${name}`);
      const names = ["plain", "with-dash_9"];
      const servers = names.map((name) =>
        `\n[mcp_servers.${name}]\ncommand = "/bin/sh"\nargs = ["-c", "touch ${trace(name)}"]\n`
      );
      Deno.writeTextFileSync(userConfig, servers.join(""), { append: true });
      const before = Deno.readFileSync(userConfig);
      await using host = await startHost({ env: sandbox.env });
      await host.initialize();
      for (const content of ["first", "resumed"]) {
        const { stop_reason } = await host.stream({
          agent: { agent_id: "cx", workspace: sandbox.workspace },
          request: { messages: [{ role: "user", content }] },
        }).end();
        assert.equal(stop_reason, "end_turn");
      }
      const started = names.filter((name) => existsSync(trace(name)));
      assert.deepEqual(started, setting === "keep" ? names : []);
      assert.deepEqual(Deno.readFileSync(userConfig), before, "config.toml is the user's");
    });
  }
}
