import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { makeOwnDirectory, makeSocketDirectory } from "../../../mcp_host/listener/socket_dir.ts";
import { openRig, tempDir } from "../rig.ts";
import { skipped } from "../../support/skipped.ts";

const isRoot = new TextDecoder().decode(
  new Deno.Command("id", { args: ["-u"] }).outputSync().stdout,
).trim() === "0";

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
  ignore: skipped(!isRoot, "only root can give a directory to somebody else"),
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
