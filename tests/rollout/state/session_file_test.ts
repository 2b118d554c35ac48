import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { importSessionFile, SESSION_FILE, writeSessionFile } from "../../../rollout/state/state.ts";
import { captured, CodexHome, linesOf } from "../rollouts.ts";

const rollout = captured("0.135.0", "text");

/** A codex home whose one thread was started in `workspace`. */
function homeWithThreadIn(workspace: string): { home: CodexHome; path: string } {
  const home = new CodexHome();
  const [meta, ...rest] = linesOf(rollout.bytes);
  const moved = (meta ?? "").replace('"cwd":"/workspace"', `"cwd":${JSON.stringify(workspace)}`);
  const bytes = new TextEncoder().encode([moved, ...rest, ""].join("\n"));
  return { home, path: home.put({ ...rollout, bytes }) };
}

class Workspace {
  readonly dir = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "plexum-workspace-" }));
  readonly file = join(this.dir, SESSION_FILE);

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

Deno.test("importSessionFile takes over the thread of this workspace", async () => {
  using workspace = new Workspace();
  const { home, path } = homeWithThreadIn(workspace.dir);
  using _home = home;
  assert.equal(await importSessionFile(workspace.dir, home.dir), undefined);
  writeSessionFile(workspace.dir, rollout.threadId);
  assert.equal(Deno.readTextFileSync(workspace.file), rollout.threadId);
  const imported = { threadId: rollout.threadId, rolloutPath: path };
  assert.deepEqual(await importSessionFile(workspace.dir, home.dir), imported);
  Deno.writeTextFileSync(workspace.file, `${rollout.threadId}\n`);
  assert.deepEqual(await importSessionFile(workspace.dir, home.dir), imported);
});

Deno.test("importSessionFile believes nothing else", async () => {
  using workspace = new Workspace();
  using elsewhere = new Workspace();
  const { home } = homeWithThreadIn(elsewhere.dir);
  using _home = home;
  const refused = async (): Promise<void> =>
    assert.equal(await importSessionFile(workspace.dir, home.dir), undefined);
  writeSessionFile(workspace.dir, rollout.threadId); // a thread of another workspace
  await refused();
  for (const text of ["", "../../x", "x".repeat(1000)]) {
    Deno.writeTextFileSync(workspace.file, text);
    await refused();
  }
  Deno.removeSync(workspace.file);
  Deno.mkdirSync(workspace.file);
  await refused();
});

Deno.test("writeSessionFile replaces a symbolic link instead of following it", () => {
  using workspace = new Workspace();
  const victim = join(workspace.dir, "victim");
  Deno.writeTextFileSync(victim, "precious");
  Deno.symlinkSync(victim, workspace.file);
  writeSessionFile(workspace.dir, rollout.threadId);
  assert.equal(Deno.readTextFileSync(victim), "precious");
  assert.ok(Deno.lstatSync(workspace.file).isFile);
  assert.equal([...Deno.readDirSync(workspace.dir)].length, 2);
});

Deno.test("writeSessionFile leaves nothing behind where it cannot write", () => {
  using workspace = new Workspace();
  Deno.mkdirSync(workspace.file);
  assert.throws(() => writeSessionFile(workspace.dir, rollout.threadId));
  assert.equal([...Deno.readDirSync(workspace.dir)].length, 1);
});
