/**
 * Looks at all processes by a `grep` that is not the usual one. Each test puts another PATH into this whole
 * process, so no other test may run beside these.
 */
import { strict as assert } from "node:assert";
import { ProcessFamily } from "../../../runner/process/process_family.ts";
import { processTable } from "../../../runner/process/process_table.ts";
import { marksByLimit, newMark } from "../../../runner/process/turn_mark.ts";
import { skipped } from "../../support/skipped.ts";
import { started } from "../marked_shell.ts";

Deno.test({
  name: "processTable has everybody although grep knows no more than busybox's",
  ignore: skipped(Deno.build.os !== "linux", "it looks into /proc"),
  async fn() {
    const folder = Deno.makeTempDirSync();
    const path = Deno.env.get("PATH") ?? "";
    Deno.writeTextFileSync(`${folder}/grep`, "#!/bin/sh\nexit 2\n", { mode: 0o755 });
    try {
      Deno.env.set("PATH", `${folder}:${path}`);
      assert.ok((await processTable()).some(({ pid }) => pid === Deno.pid));
    } finally {
      Deno.env.set("PATH", path);
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "a process that makes the reader of its environment wait hides nobody from a look",
  ignore: skipped(!marksByLimit(), "no process can be marked by a limit: there is no prlimit here"),
  async fn() {
    // Nothing short of a file system of one's own makes /proc wait: here the reader does.
    const folder = Deno.makeTempDirSync();
    const slow =
      '#!/bin/sh\nfor a; do case "$a" in */environ) exec sleep 1000;; esac; done\nexec /bin/grep "$@"\n';
    Deno.writeTextFileSync(`${folder}/grep`, slow, { mode: 0o755 });
    const path = Deno.env.get("PATH") ?? "";
    const mark = newMark();
    const sleeper = "sleep 1000 >/dev/null 2>&1 </dev/null & echo $!";
    const [pid] = await started(mark, sleeper);
    const family = new ProcessFamily(mark, {}, {
      onTrouble: (message, data) => troubles.push(`${message} ${JSON.stringify(data)}`),
    });
    const troubles: string[] = [];
    try {
      Deno.env.set("PATH", `${folder}:${path}`);
      const began = performance.now();
      const { others } = await family.look();
      assert.ok(performance.now() - began < 15_000);
      assert.deepEqual(others.map((row) => row.pid), [pid], "its limits tell, too");
      const again = performance.now();
      await family.look();
      assert.ok(performance.now() - again < 2_500, "it is not waited for each time");
      assert.match(troubles.join(), /^the environment of processes could not be read in time .*\d/);
    } finally {
      Deno.env.set("PATH", path);
      await family.end();
      await family.close();
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
