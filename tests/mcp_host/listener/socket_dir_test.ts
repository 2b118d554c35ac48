import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { PeerProof } from "../../../mcp_host/listener/peer_proof.ts";
import {
  makeOwnDirectory,
  makeSocketDirectory,
  SETTLED_MS,
  sweepStaleSockets,
} from "../../../mcp_host/listener/socket_dir.ts";
import { canGiveAway } from "../../support/other_user.ts";
import { skipped } from "../../support/skipped.ts";
import { openRig, tempDir } from "../rig.ts";

function mode(path: string): string {
  return ((Deno.lstatSync(path).mode ?? 0) & 0o7777).toString(8);
}

Deno.test("socket directory is fresh, of mode 0700, and gone afterwards", () => {
  using parent = tempDir();
  const one = makeSocketDirectory(parent.path);
  const two = makeSocketDirectory(parent.path);
  assert.notEqual(one.path, two.path);
  assert.equal(mode(one.path), "700");
  Deno.writeTextFileSync(one.socket, "");
  one.remove();
  one.remove();
  two.remove();
  assert.deepEqual([...Deno.readDirSync(parent.path)], []);
});

Deno.test("socket directory whose path is too long is refused with what to do", () => {
  using parent = tempDir();
  const long = join(parent.path, "x".repeat(90));
  Deno.mkdirSync(long);
  assert.throws(() => makeSocketDirectory(long), {
    name: "RangeError",
    message: /at most 107: choose a shorter runtime directory/,
  });
  assert.deepEqual([...Deno.readDirSync(long)], []);
});

Deno.test("socket directory is not made where others could replace it", () => {
  using parent = tempDir();
  Deno.chmodSync(parent.path, 0o777);
  assert.throws(() => makeSocketDirectory(parent.path), /others may write there .*mode 0777/);
  Deno.chmodSync(parent.path, 0o1777);
  makeSocketDirectory(parent.path).remove();
});

Deno.test({
  name: "socket directory is not made in another user's directory",
  ignore: skipped(!canGiveAway(), "only root can give a directory to somebody else"),
  fn() {
    using parent = tempDir();
    new Deno.Command("chown", { args: ["12345", parent.path] }).outputSync();
    assert.throws(() => makeSocketDirectory(parent.path), /another user \(uid 12345\)/);
    assert.deepEqual([...Deno.readDirSync(parent.path)], []);
  },
});

Deno.test("socket directory with a fixed name is used only when it is ours alone", () => {
  using parent = tempDir();
  const made = makeOwnDirectory(parent.path, "d");
  assert.equal(mode(made), "700");
  assert.equal(makeOwnDirectory(parent.path, "d"), made);
  Deno.chmodSync(made, 0o755);
  assert.throws(() => makeOwnDirectory(parent.path, "d"), /must be a directory of this user/);
  Deno.removeSync(made);
  Deno.mkdirSync(join(parent.path, "elsewhere"), { mode: 0o700 });
  Deno.symlinkSync(join(parent.path, "elsewhere"), made);
  assert.throws(() => makeOwnDirectory(parent.path, "d"), /must be a directory of this user/);
});

Deno.test("bridge that cannot have its socket leaves nothing behind", async () => {
  await assert.rejects(openRig({ runtimeDir: "/nonexistent" }), { name: "NotFound" });
});

const later = () => Date.now() + SETTLED_MS + 1000;

/** A socket as a killed plugin leaves it: the file is there, nobody listens. */
async function leaveSocket(path: string): Promise<void> {
  const program = `Deno.listen({transport:"unix",path:${JSON.stringify(path)}});` +
    `Deno.kill(Deno.pid,"SIGKILL")`;
  await new Deno.Command(Deno.execPath(), { args: ["eval", program] }).output();
  assert.ok(Deno.lstatSync(path).isSocket);
}

Deno.test("sweep removes what a dead plugin left and nothing else", async () => {
  using parent = tempDir();
  const [stale, empty, foreign, open, full, doctor] = [
    "plexum-0123456789abcdef",
    "plexum-0123456789abcde0",
    "plexum-x",
    "plexum-0123456789abcde1",
    "plexum-0123456789abcde2",
    "plexum-doctor-x",
  ].map((name) => join(parent.path, name)) as [string, string, string, string, string, string];
  for (const each of [stale, empty, foreign, full, doctor]) Deno.mkdirSync(each, { mode: 0o700 });
  Deno.mkdirSync(open, { mode: 0o755 });
  await leaveSocket(join(stale, "s"));
  // The plugin was killed while it looked who a relay is.
  new PeerProof(join(stale, "s"));
  Deno.writeTextFileSync(join(full, "other"), "");
  assert.equal(await sweepStaleSockets(parent.path, Date.now()), 0, "they are too young");
  assert.equal(await sweepStaleSockets(parent.path, later()), 3);
  const left = () => Array.from(Deno.readDirSync(parent.path), (entry) => entry.name).sort();
  assert.deepEqual(left(), ["plexum-0123456789abcde1", "plexum-doctor-x", "plexum-x"]);
  assert.equal(await sweepStaleSockets(parent.path, later() + 3_600_000), 1);
  assert.deepEqual(left(), ["plexum-0123456789abcde1", "plexum-x"]);
});

Deno.test("sweep leaves a living bridge alone and does not count as a stranger", async () => {
  await using rig = await openRig();
  assert.equal(await sweepStaleSockets(rig.runtimeDir, later()), 0);
  assert.ok(Deno.lstatSync(rig.env.PLEXUM_MCP_SOCKET ?? "").isSocket);
  assert.equal(rig.bridge.refused, 0);
});

Deno.test("sweep of a directory that is not there is nothing", async () => {
  assert.equal(await sweepStaleSockets("/nonexistent"), 0);
});
