import { strict as assert } from "node:assert";
import { basename, dirname, join } from "@std/path";
import { likelyDays, locateRolloutSync, newestHistoryMode } from "../../rollout/locate.ts";
import { captured, CodexHome } from "./rollouts.ts";
import { canGiveAway } from "../support/other_user.ts";
import { failing, TOO_MANY_FILES } from "../support/failing_system.ts";
import { skipped } from "../support/skipped.ts";

const rollout = captured("0.135.0", "text");
const { threadId } = rollout;

Deno.test("locateRollout finds a thread in the day of its own id, without looking elsewhere", () => {
  using home = new CodexHome();
  const path = home.put(rollout);
  Deno.mkdirSync(join(home.dir, "sessions/2031/01/01"), { recursive: true });
  assert.deepEqual(locateRolloutSync(home.dir, threadId), { kind: "found", path });
  assert.deepEqual(locateRolloutSync(home.dir, threadId.toUpperCase()), { kind: "found", path });
  assert.ok(likelyDays(home.dir, threadId).includes(join(home.dir, "sessions/2026/11/22")));
});

Deno.test("locateRollout finds it in other days, flat, archived, and where it was last", () => {
  for (const place of ["sessions/2019/01/31", "sessions", "archived_sessions", "elsewhere"]) {
    using home = new CodexHome();
    const path = join(home.dir, place, `rollout-2026-11-22T12-00-00-${threadId}.jsonl`);
    Deno.mkdirSync(join(home.dir, place), { recursive: true });
    Deno.writeFileSync(path, rollout.bytes);
    const remembered = place === "elsewhere" ? path : join(home.dir, "gone", `${threadId}.jsonl`);
    assert.deepEqual(locateRolloutSync(home.dir, threadId, remembered), { kind: "found", path });
  }
});

Deno.test("locateRollout does not believe a remembered path of another thread", () => {
  using home = new CodexHome();
  const other = captured("0.169.0", "shell-ok");
  const path = home.put(other);
  assert.equal(locateRolloutSync(home.dir, threadId, path).kind, "missing");
  Deno.renameSync(path, home.path(threadId));
  assert.deepEqual(locateRolloutSync(home.dir, threadId), {
    kind: "refused",
    path: home.path(threadId),
    reason: `its session_meta names thread "${other.threadId}", not ${threadId}`,
  });
});

Deno.test("locateRollout names where it looked in vain, also without a codex home", () => {
  using home = new CodexHome();
  const missing = locateRolloutSync(home.dir, threadId);
  assert.equal(missing.kind, "missing");
  assert.ok(missing.kind === "missing" && missing.looked.includes(join(home.dir, "sessions")));
  assert.equal(locateRolloutSync(join(home.dir, "nowhere"), threadId).kind, "missing");
});

Deno.test("locateRollout tells a compressed session from a missing one", () => {
  using home = new CodexHome();
  const path = `${home.path(threadId)}.zst`;
  Deno.writeFileSync(path, rollout.bytes);
  assert.deepEqual(locateRolloutSync(home.dir, threadId), { kind: "compressed", path });
});

Deno.test("locateRollout refuses links, directories, and files that do not begin as a session", () => {
  const cases: [reason: string | RegExp, make: (path: string, dir: string) => void][] = [
    ["it is a symbolic link", (path, dir) => {
      Deno.writeFileSync(join(dir, "real"), rollout.bytes);
      Deno.symlinkSync(join(dir, "real"), path);
    }],
    ["it is not a regular file", (path) => Deno.mkdirSync(path)],
    ["it is empty", (path) => Deno.writeTextFileSync(path, "")],
    [
      "its first line is not complete",
      (path) => Deno.writeFileSync(path, rollout.bytes.subarray(0, 100)),
    ],
    ["its first line is not a session_meta record", (path) => Deno.writeTextFileSync(path, "{}\n")],
    [/its first line is longer than/, (path) => Deno.writeTextFileSync(path, " ".repeat(5e6))],
  ];
  for (const [reason, make] of cases) {
    using home = new CodexHome();
    const path = home.path(threadId);
    make(path, home.dir);
    const located = locateRolloutSync(home.dir, threadId);
    assert.equal(located.kind, "refused");
    assert.match(located.kind === "refused" ? located.reason : "", new RegExp(reason));
  }
});

Deno.test("locateRollout refuses a file of another user", {
  ignore: skipped(!canGiveAway(), "only root can give a file to somebody else"),
}, () => {
  using home = new CodexHome();
  const path = home.put(rollout);
  Deno.chownSync(path, 65534, 65534);
  assert.deepEqual(locateRolloutSync(home.dir, threadId), {
    kind: "refused",
    path,
    reason: "it belongs to user 65534, not to user 0",
  });
});

Deno.test("locateRollout takes nothing but a UUID for a thread id", () => {
  for (const id of ["", "../../etc/passwd", threadId.slice(1), `${threadId}x`]) {
    assert.throws(() => locateRolloutSync("/nowhere", id), /thread id .* is not a UUID/);
  }
});

Deno.test("newestHistoryMode is what the newest session says, legacy where it says nothing", () => {
  using home = new CodexHome();
  assert.equal(newestHistoryMode(home.dir), undefined);
  const old = captured("0.135.0", "text");
  const path = home.put(old);
  assert.equal(newestHistoryMode(home.dir), "legacy");
  const later = join(dirname(path), "rollout-9.jsonl");
  Deno.writeFileSync(later, captured("0.171.0", "text").bytes);
  assert.equal(newestHistoryMode(home.dir), "paginated");
  Deno.writeTextFileSync(later, "no session");
  assert.equal(newestHistoryMode(home.dir), "legacy");
});

Deno.test("locateRollout tells a file that the system does not let be read now from one that is none", () => {
  using home = new CodexHome();
  const path = home.put(rollout);
  {
    using _open = failing("openSync", path);
    const located = locateRolloutSync(home.dir, threadId);
    assert.ok(located.kind === "refused" && located.path === path);
    assert.equal(located.cause?.message, TOO_MANY_FILES);
  }
  Deno.mkdirSync(join(home.dir, "archived_sessions"));
  Deno.renameSync(path, join(home.dir, "archived_sessions", basename(path)));
  using _read = failing("readDirSync", join(home.dir, "archived_sessions"));
  const located = locateRolloutSync(home.dir, threadId, path);
  assert.ok(located.kind === "refused", "not missing");
  assert.equal(located.cause?.message, TOO_MANY_FILES);
});
