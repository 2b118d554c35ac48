/** The MCP servers of codex's own config.toml, beside the host's tools. */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { startHost } from "../support/host.ts";
import { noProcessUnder } from "../support/processes.ts";
import { openSandbox } from "../support/sandbox.ts";
import { configOf, EVERY_WAY } from "./world.ts";

for (const version of EVERY_WAY) {
  for (const setting of ["keep", "disable"]) {
    Deno.test(`codex ${version} ${setting === "keep" ? "starts" : "does not start"} the user's own MCP servers when user_mcp_servers is "${setting}"`, async () => {
      const { binary, config } = await configOf(version);
      await using sandbox = await openSandbox({
        binary,
        config: { ...config, user_mcp_servers: setting },
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

/** Hangs in a child, deaf, holding its pipes, wherever it is not asked to run a turn. */
const HANGS = (hang: string) =>
  `#!/bin/sh
hang() { trap '' INT TERM; sleep 1000 & sleep 1000; }
case "$1" in
  --version) [ ${hang} = --version ] && hang; echo codex-cli 0.169.0;;
  mcp) [ ${hang} = mcp ] && hang; echo '[]';;
esac
`;

for (const hang of ["--version", "mcp"]) {
  for (const how of ["cancel", "total_ms", "EOF"]) {
    Deno.test(`turn whose codex ${hang} hangs ends with ${how}, and nothing of it is left`, async () => {
      await using sandbox = await openSandbox({
        binary: "codex",
        config: {
          user_mcp_servers: "disable",
          timeouts: { grace_ms: 300, ...(how === "total_ms" ? { total_ms: 500 } : {}) },
        },
      });
      const codex = join(sandbox.root, "codex-hangs");
      Deno.writeTextFileSync(codex, HANGS(hang));
      Deno.chmodSync(codex, 0o755);
      await sandbox.configure({ binary: codex });
      await using host = await startHost({ env: sandbox.env });
      await host.initialize();
      const turn = host.stream({
        agent: { agent_id: "cx", workspace: sandbox.workspace },
        request: { messages: [{ role: "user", content: "hello" }] },
      });
      while ((await sandbox.processes()).length < 4); // the plugin, the script, two sleepers
      const began = performance.now();
      if (how === "cancel") await turn.cancel();
      if (how === "EOF") await host.closeStdin();
      if (how === "total_ms") await assert.rejects(turn.result, /0\.5 s|500 ms/);
      else assert.equal((await turn.end()).stop_reason, "cancelled");
      if (how === "EOF") assert.deepEqual(await host.exit, { code: 0, signal: null });
      assert.ok(performance.now() - began < 5_000);
      await noProcessUnder(sandbox.root, 2_000, [host.pid]);
    });
  }
}
