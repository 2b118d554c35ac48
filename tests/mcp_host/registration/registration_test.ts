import { strict as assert } from "node:assert";
import { codexBinary, MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../../support/codex.ts";
import {
  outputTokenLimit,
  registrationConfig,
} from "../../../mcp_host/registration/registration.ts";

const base = {
  serverName: "plexum_host",
  command: ["/opt/a b/plexum", "mcp-host"],
  startupTimeoutMs: 30_000,
  toolTimeoutMs: 600_000,
  parallel: false,
  omitToolsFrom: true,
  resultMaxBytes: 1_000_000,
};

Deno.test("registration is one server for one run, its secrets named and not told", () => {
  assert.deepEqual(registrationConfig(base), [
    'mcp_servers.plexum_host={command="/opt/a b/plexum",args=["mcp-host"],' +
    'env_vars=["PLEXUM_MCP_SOCKET","PLEXUM_MCP_AGENT_ID","PLEXUM_MCP_TOKEN"],' +
    "enabled=true,required=true,startup_timeout_sec=30,tool_timeout_sec=605," +
    'default_tools_approval_mode="approve",omit_tools_from=["deferred","code_mode"]}',
    'shell_environment_policy.set.PLEXUM_MCP_TOKEN=""',
    "tool_output_token_limit=501000",
  ]);
});

Deno.test("registration says omit_tools_from only to a codex that knows it", () => {
  const [server = ""] = registrationConfig({ ...base, omitToolsFrom: false });
  assert.ok(!server.includes("omit_tools_from"));
});

Deno.test("registration lets calls run in parallel and allows for their wait", () => {
  const [server = ""] = registrationConfig({ ...base, parallel: true });
  assert.match(server, /supports_parallel_tool_calls=true/);
  assert.match(server, /tool_timeout_sec=1205/);
});

Deno.test("registration of a server that codex's config has adds what that cannot say", () => {
  const { command: _, ...rest } = base;
  const [server = ""] = registrationConfig({ ...rest, serverName: "plexum-host-cx" });
  assert.match(server, /^mcp_servers\.plexum-host-cx=\{env_vars=\["PLEXUM_MCP_TOKEN"\],/);
  assert.ok(!server.includes("command="));
  const [moved = ""] = registrationConfig({ ...rest, env: { PLEXUM_MCP_SOCKET: '/a"b' } });
  assert.match(moved, /env=\{PLEXUM_MCP_SOCKET="\/a\\"b"\}/);
});

Deno.test("output limit leaves room for a result as JSON text and never lowers codex's own", () => {
  assert.ok(outputTokenLimit(100_000) * 4 >= 2 * 100_000);
  assert.equal(outputTokenLimit(10), 10_000);
});

Deno.test("registration reaches codex letter by letter, whatever the letters", async () => {
  const words = [
    'a"b',
    "a\nb\r\tc",
    "\\",
    "'''",
    "x\u2028y\u2029",
    "\x7f\x1b\b\f",
    "é😀",
    "#]={}",
    "",
  ];
  const command = ['/opt/w "x"\n/bin', ...words];
  const [server = ""] = registrationConfig({ ...base, command });
  const home = Deno.makeTempDirSync();
  try {
    for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
      const { native } = await codexBinary(version);
      const { stdout, stderr } = await new Deno.Command(native, {
        args: ["-c", server, "mcp", "get", "plexum_host", "--json"],
        clearEnv: true,
        env: { CODEX_HOME: home, HOME: home },
      }).output();
      const decoder = new TextDecoder();
      assert.ok(stdout.length > 0, `${version}: ${decoder.decode(stderr)}`);
      const { transport } = JSON.parse(decoder.decode(stdout));
      assert.deepEqual([transport.command, ...transport.args], command, version);
    }
  } finally {
    Deno.removeSync(home, { recursive: true });
  }
});
