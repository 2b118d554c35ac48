import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { homeOf, whileNoWriter } from "../../rollout/rollout_file.ts";
import { CodexHome } from "./rollouts.ts";
import { THREAD } from "./thread_on_disk.ts";

Deno.test("homeOf is what holds the rollout's sessions, by day, flat or archived", () => {
  const name = `rollout-2026-11-22T12-00-00-${THREAD}.jsonl`;
  const homes: [path: string, home: string][] = [
    [`/srv/codex/sessions/2026/11/22/${name}`, "/srv/codex"],
    [`/srv/codex/sessions/2026/11/22/${name}.zst`, "/srv/codex"],
    [`/srv/codex/sessions/${name}`, "/srv/codex"],
    [`/srv/codex/archived_sessions/${name}`, "/srv/codex"],
    [`/srv/sessions/codex/sessions/2026/11/22/${name}`, "/srv/sessions/codex"],
    [`/sessions/2026/11/22/${name}`, "/"],
    [`/srv/codex/elsewhere/${name}`, "/given"],
    [`/srv/sessions/elsewhere/${name}`, "/given"],
  ];
  for (const [path, home] of homes) assert.equal(homeOf(path, "/given"), home, path);
  assert.equal(homeOf(undefined, "/given"), "/given");
});

Deno.test("whileNoWriter does not take a lock directory that it cannot look at for none", async () => {
  using home = new CodexHome();
  const directory = join(home.dir, "thread-writer-locks");
  Deno.symlinkSync(directory, directory);
  let done = false;
  await assert.rejects(whileNoWriter(home.dir, THREAD, () => void (done = true)));
  assert.equal(done, false);
});
