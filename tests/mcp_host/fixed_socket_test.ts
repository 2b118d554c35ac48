import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { type CodexConfig, registerEntry } from "../../mcp_host/fixed_socket.ts";
import { codexBinary, MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { connectClient, openRig, tempDir } from "./rig.ts";

/** A codex home with a config that a user wrote, and the codex of that version. */
async function openHome(version: string): Promise<CodexConfig & { file: string } & Disposable> {
  const home = tempDir();
  const file = join(home.path, "config.toml");
  Deno.writeTextFileSync(file, 'model = "gpt-5.5" # mine\n\n[mcp_servers.mine]\ncommand = "x"\n');
  return {
    codex: (await codexBinary(version)).native,
    codexHome: home.path,
    env: { PATH: "/usr/bin:/bin", HOME: home.path, TMPDIR: home.path },
    file,
    [Symbol.dispose]: home[Symbol.dispose],
  };
}

const entry = (name: string, path = "/opt/p l/bin") => ({
  name,
  command: [path, "mcp-host"],
  env: { PLEXUM_MCP_SOCKET: '/run/a "b"/s.sock', PLEXUM_MCP_AGENT_ID: "cx" },
});

for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
  Deno.test(`registering with codex ${version} adds once, leaves alone, replaces what differs`, async () => {
    using home = await openHome(version);
    assert.deepEqual(await registerEntry(home, entry("plexum-host-cx")), {
      ok: true,
      changed: true,
    });
    const written = Deno.readTextFileSync(home.file);
    assert.match(written, /model = "gpt-5\.5" # mine/);
    assert.match(written, /\[mcp_servers\.plexum-host-cx\]/);
    // Another process, which has not registered yet: the entry is found and stays as it is.
    const other = { ...home, env: { ...home.env, OTHER: "1" }, codexHome: home.codexHome + "/." };
    const again = await registerEntry(other, entry("plexum-host-cx"));
    assert.deepEqual(again, { ok: true, changed: false });
    assert.equal(Deno.readTextFileSync(home.file), written);
    const moved = await registerEntry(home, entry("plexum-host-cx", "/opt/new"));
    assert.deepEqual(moved, { ok: true, changed: true });
    assert.match(Deno.readTextFileSync(home.file), /command = "\/opt\/new"/);
  });
}

Deno.test("registering many names at once loses none", async () => {
  using home = await openHome(NEWEST_CODEX);
  const names = Array.from({ length: 8 }, (_, index) => `plexum-host-${index}`);
  const all = await Promise.all(names.map((name) => registerEntry(home, entry(name))));
  assert.ok(all.every((registered) => registered.ok), JSON.stringify(all));
  const written = Deno.readTextFileSync(home.file);
  for (const name of names) assert.ok(written.includes(`[mcp_servers.${name}]`), name);
});

/** A codex that does as the shell script says, and the arguments it was started with. */
function fakeCodex(script: string): CodexConfig & { started: () => string[] } & Disposable {
  const home = tempDir();
  const codex = join(home.path, "codex");
  const log = join(home.path, "log");
  Deno.writeTextFileSync(codex, `#!/bin/sh\necho "$*" >> ${log}\n${script}\n`, { mode: 0o755 });
  return {
    codex,
    codexHome: home.path,
    env: { PATH: "/usr/bin:/bin" },
    started: () => Deno.readTextFileSync(log).trim().split("\n"),
    [Symbol.dispose]: home[Symbol.dispose],
  };
}

Deno.test("registering that fails is an answer, and is tried again", async () => {
  using codex = fakeCodex('[ "$2" = add ] && echo "no luck" >&2; exit 3');
  const first = await registerEntry(codex, entry("plexum-host-a"));
  assert.deepEqual(first, { ok: false, reason: "codex mcp add failed with exit 3: no luck" });
  await registerEntry(codex, entry("plexum-host-a"));
  assert.equal(codex.started().filter((line) => line.startsWith("mcp add")).length, 2);
});

Deno.test("registering is not believed until codex shows the entry", async () => {
  using codex = fakeCodex('[ "$2" = add ]');
  const registered = await registerEntry(codex, entry("plexum-host-a"));
  assert.ok(!registered.ok && /but the entry is not there/.test(registered.reason));
});

Deno.test("registering with a codex that is missing or answers no JSON is an answer", async () => {
  using codex = fakeCodex("echo hello");
  const registered = await registerEntry(codex, entry("plexum-host-a"));
  assert.ok(!registered.ok && /wrote something other than JSON: hello/.test(registered.reason));
  const missing = await registerEntry({ ...codex, codex: "/nonexistent" }, entry("plexum-host-a"));
  assert.equal(missing.ok, false);
});

Deno.test("registering uses the seed's words", async () => {
  using codex = fakeCodex("exit 1");
  await registerEntry(codex, {
    name: "plexum-host-cx",
    command: ["/bin/p", "mcp-host"],
    env: { PLEXUM_MCP_SOCKET: "/s", PLEXUM_MCP_AGENT_ID: "cx" },
  });
  assert.deepEqual(codex.started(), [
    "mcp get plexum-host-cx --json",
    "mcp add --env PLEXUM_MCP_SOCKET=/s --env PLEXUM_MCP_AGENT_ID=cx plexum-host-cx -- /bin/p mcp-host",
  ]);
});

Deno.test("bridge in codex's config keeps one socket per agent for all its turns", async () => {
  using home = await openHome(NEWEST_CODEX);
  using runtime = tempDir();
  const options = { codexConfig: home, runtimeDir: runtime.path };
  await using one = await openRig(options);
  await using two = await openRig(options);
  const socket = one.env.PLEXUM_MCP_SOCKET ?? "";
  assert.match(socket, /\/mcp-\d+\/[0-9a-f]{8}$/);
  assert.equal(two.env.PLEXUM_MCP_SOCKET, socket);
  assert.equal(one.bridge.access?.name, "plexum-host-cx");
  assert.equal(one.bridge.hostName("mcp__plexum_host_cx", "echo"), "echo");
  assert.ok(!one.config.join().includes("command="));
  // The token says whose call it is.
  await using codexOne = await connectClient(one.env);
  await using codexTwo = await connectClient(two.env);
  await codexTwo.client.callTool({ name: "echo", arguments: { n: 2 } });
  await codexOne.client.callTool({ name: "echo", arguments: { n: 1 } });
  assert.deepEqual(one.calls.map((call) => call.arguments.value), [{ n: 1 }]);
  assert.deepEqual(two.calls.map((call) => call.arguments.value), [{ n: 2 }]);
  await one.bridge.close();
  assert.ok(Deno.lstatSync(socket).isSocket, "the other turn still needs it");
  await two.bridge.close();
  assert.throws(() => Deno.lstatSync(socket), { name: "NotFound" });
  await using three = await openRig(options);
  assert.equal(three.env.PLEXUM_MCP_SOCKET, socket);
});

Deno.test("bridge in codex's config goes elsewhere while another process has the socket", async () => {
  using home = await openHome(NEWEST_CODEX);
  using runtime = tempDir();
  const options = { codexConfig: home, runtimeDir: runtime.path };
  const probe = await openRig(options);
  const socket = probe.env.PLEXUM_MCP_SOCKET ?? "";
  await probe[Symbol.asyncDispose]();
  const other = Deno.listen({ transport: "unix", path: socket });
  try {
    await using rig = await openRig(options);
    const own = rig.env.PLEXUM_MCP_SOCKET ?? "";
    assert.notEqual(own, socket);
    assert.ok(rig.config[0]?.includes(`env={PLEXUM_MCP_SOCKET="${own}"}`));
    await using codex = await connectClient(rig.env);
    assert.equal((await codex.client.listTools()).tools.length, 1);
  } finally {
    other.close();
  }
});

Deno.test("bridge goes on without host tools where registering fails", async () => {
  using codex = fakeCodex("exit 3");
  await using rig = await openRig({ codexConfig: codex });
  assert.equal(rig.bridge.access, undefined);
  assert.deepEqual(rig.config, []);
  assert.deepEqual(rig.env, {});
  assert.match(
    rig.statuses.join(),
    /host tools are not available in this turn: codex mcp add failed/,
  );
});
