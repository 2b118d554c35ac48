import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { canGiveAway } from "../../support/other_user.ts";
import { type Disk, realDisk } from "../../../base/durable.ts";
import {
  importSessionFile,
  SESSION_FILE,
  StateStore,
  type ThreadState,
  writeSessionFile,
} from "../../../rollout/state/state.ts";
import { captured, CodexHome, linesOf } from "../rollouts.ts";

const usageTotal = {
  inputTokens: 1,
  cachedInputTokens: 2,
  outputTokens: 3,
  reasoningOutputTokens: 4,
};
const state: ThreadState = {
  threadId: "01a20339-004c-7780-ad3c-b93c735b49cf",
  rolloutPath: "/codex/sessions/x.jsonl",
  endOffset: 42,
  usageTotal,
  later: { kept: true },
};

class Place {
  readonly dir = Deno.makeTempDirSync({ prefix: "plexum-state-" });
  readonly warnings: string[] = [];
  readonly state = join(this.dir, "state");

  store(): StateStore {
    return new StateStore(this.state, { onWarning: (message) => this.warnings.push(message) });
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

Deno.test("StateStore gives back what was saved, also to another process, and keeps unknown fields", async () => {
  using place = new Place();
  await place.store().save("cx", "/work", state);
  await place.store().save("cx", "/other", { ...state, endOffset: 7 });
  assert.deepEqual(place.store().load("cx", "/work"), state);
  assert.equal(place.store().load("cx", "/other")?.endOffset, 7);
  assert.equal(place.store().load("c", "x/work"), undefined);
  assert.equal(place.store().list().length, 2);
  await place.store().forget("cx", "/work");
  assert.equal(place.store().load("cx", "/work"), undefined);
  await place.store().forget("cx", "/work");
  assert.deepEqual(place.warnings, []);
});

Deno.test("StateStore knows what is still being written, and writes in the order in which it was told", async () => {
  using place = new Place();
  const syncs: (() => void)[] = [];
  const slow: Disk = {
    ...realDisk,
    open: (path, how) => {
      const file = realDisk.open(path, how);
      return { ...file, sync: () => new Promise<void>((resolve) => syncs.push(resolve)) };
    },
  };
  place.store();
  const store = new StateStore(place.state, { disk: slow });
  const told = [1, 2].map((endOffset) => store.save("cx", "/work", { ...state, endOffset }));
  assert.equal(store.load("cx", "/work")?.endOffset, 2);
  assert.equal(place.store().load("cx", "/work"), undefined);
  const saved = store.saved();
  while (syncs.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  syncs.shift()?.();
  await told[0];
  assert.equal(place.store().load("cx", "/work")?.endOffset, 1);
  assert.equal(store.load("cx", "/work")?.endOffset, 2);
  while (syncs.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  syncs.shift()?.();
  await saved;
  assert.equal(place.store().load("cx", "/work")?.endOffset, 2);
});

Deno.test("StateStore keeps its directory and files to itself", async () => {
  using place = new Place();
  await place.store().save("cx", "/work", state);
  assert.equal((Deno.statSync(place.state).mode ?? 0) & 0o777, 0o700);
  const [file] = [...Deno.readDirSync(place.state)];
  assert.equal((Deno.statSync(join(place.state, file?.name ?? "")).mode ?? 0) & 0o777, 0o600);
  Deno.chmodSync(place.state, 0o755);
  place.store();
  assert.equal((Deno.statSync(place.state).mode ?? 0) & 0o777, 0o700);
});

Deno.test("StateStore refuses a directory that is a link or belongs to somebody else", () => {
  using place = new Place();
  Deno.mkdirSync(join(place.dir, "real"));
  Deno.symlinkSync(join(place.dir, "real"), place.state);
  assert.throws(
    () => place.store(),
    /Cannot keep state in .*: it is not a directory .*\. Remove it or choose another profile\.$/,
  );
  if (!canGiveAway()) return;
  Deno.removeSync(place.state);
  Deno.mkdirSync(place.state);
  Deno.chownSync(place.state, 65534, 65534);
  // What is in it is the memory of that user's threads: nobody is told to remove it.
  assert.throws(
    () => place.store(),
    /: it belongs to user 65534, not to user 0\. Run this as the user who runs Plexum\.$/,
  );
});

Deno.test("StateStore sets a broken file aside, says so, and has no state then", async () => {
  for (const broken of ["", "{", "[]", '{"agentId":"cx","workspace":"/work","state":{}}']) {
    using place = new Place();
    await place.store().save("cx", "/work", state);
    const [file] = [...Deno.readDirSync(place.state)];
    const path = join(place.state, file?.name ?? "");
    Deno.writeTextFileSync(path, broken);
    assert.equal(place.store().load("cx", "/work"), undefined);
    assert.equal(Deno.readTextFileSync(`${path}.broken`), broken);
    assert.equal(place.warnings.length, 1);
    assert.match(
      place.warnings[0] ?? "",
      /^Cannot use .*: it is not .* set aside as .*\.broken\.$/,
    );
  }
});

Deno.test("StateStore sets aside what only looks as if there were nothing", async () => {
  using place = new Place();
  await place.store().save("cx", "/work", state);
  const [file] = [...Deno.readDirSync(place.state)];
  const path = join(place.state, file?.name ?? "");
  Deno.removeSync(path);
  Deno.symlinkSync(join(place.dir, "nowhere"), path);
  assert.equal(place.store().load("cx", "/work"), undefined);
  assert.match(
    place.warnings.join(),
    /^Cannot use .*: it is a symbolic link\. It was set aside as /,
  );
});

Deno.test("StateStore does not take a thread id that is no UUID from a file", async () => {
  using place = new Place();
  await place.store().save("cx", "/work", { ...state, threadId: "../../x" });
  assert.equal(place.store().load("cx", "/work"), undefined);
});

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

/** No agent here has any thread. */
const store = { knows: () => false };

Deno.test("importSessionFile takes over the thread of this workspace", async () => {
  using workspace = new Workspace();
  const { home, path } = homeWithThreadIn(workspace.dir);
  using _home = home;
  assert.equal(await importSessionFile(store, workspace.dir, home.dir), undefined);
  writeSessionFile(workspace.dir, rollout.threadId);
  assert.equal(Deno.readTextFileSync(workspace.file), rollout.threadId);
  const imported = { threadId: rollout.threadId, rolloutPath: path };
  assert.deepEqual(await importSessionFile(store, workspace.dir, home.dir), imported);
  Deno.writeTextFileSync(workspace.file, `${rollout.threadId}\n`);
  assert.deepEqual(await importSessionFile(store, workspace.dir, home.dir), imported);
  const taken = { knows: (threadId: string) => threadId === rollout.threadId };
  assert.equal(await importSessionFile(taken, workspace.dir, home.dir), undefined);
});

Deno.test("importSessionFile believes nothing else", async () => {
  using workspace = new Workspace();
  using elsewhere = new Workspace();
  const { home } = homeWithThreadIn(elsewhere.dir);
  using _home = home;
  const refused = async (): Promise<void> =>
    assert.equal(await importSessionFile(store, workspace.dir, home.dir), undefined);
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
