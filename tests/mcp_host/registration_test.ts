import { strict as assert } from "node:assert";
import { toml } from "../../base/toml.ts";
import { bridgeAccess, outputTokenLimit } from "../../mcp_host/registration.ts";
import { codexBinary, MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";

const base = {
  serverName: "plexum_host",
  command: ["/opt/a b/plexum", "mcp-host"],
  env: undefined,
  startupTimeoutMs: 30_000,
  toolTimeoutMs: 600_000,
  parallel: false,
  omitToolsFrom: true,
  resultMaxBytes: 1_000_000,
};

const serverEntry = (registration: typeof base | Parameters<typeof bridgeAccess>[0]) =>
  bridgeAccess(registration, {}).server;

Deno.test("entry says how to start the relay, and that codex must wait for it", () => {
  assert.deepEqual(serverEntry(base), {
    command: "/opt/a b/plexum",
    args: ["mcp-host"],
    enabled: true,
    required: true,
    startup_timeout_sec: 30,
    tool_timeout_sec: 605,
    default_tools_approval_mode: "approve",
    omit_tools_from: ["deferred", "code_mode"],
  });
});

Deno.test("entry says omit_tools_from only to a codex that knows it", () => {
  assert.ok(!("omit_tools_from" in serverEntry({ ...base, omitToolsFrom: false })));
});

Deno.test("entry lets calls run in parallel and allows for their wait", () => {
  const server = serverEntry({ ...base, parallel: true });
  assert.equal(server.supports_parallel_tool_calls, true);
  assert.equal(server.tool_timeout_sec, 1205);
});

Deno.test("entry of a server that codex's config has adds what that cannot say", () => {
  const env = { PLEXUM_MCP_SOCKET: "/own" };
  const server = serverEntry({ ...base, command: undefined, env });
  assert.ok(!("command" in server));
  assert.deepEqual(server.env, env);
});

Deno.test("output limit leaves room for a result as JSON text and never lowers codex's own", () => {
  assert.ok(outputTokenLimit(100_000) * 4 >= 2 * 100_000);
  assert.equal(outputTokenLimit(10), 10_000);
});

Deno.test("entry reaches codex letter by letter, whatever the letters", async () => {
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
  const server = `mcp_servers.plexum_host=${toml.value(serverEntry({ ...base, command }))}`;
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
