/** What an operator changes while a codex stays: another codex at its path, another configuration. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { codexBinary, NEWEST_CODEX, STAYING_CODEX } from "../support/codex.ts";
import { within } from "../support/deadline.ts";
import { Lab } from "../support/lab.ts";
import { skipped } from "../support/skipped.ts";

const ignore = skipped(STAYING_CODEX.length === 0, "a codex that stays between turns: no prlimit");

/** The files of the servers that run. */
async function servers(lab: Lab): Promise<string[]> {
  return (await lab.sandbox.processes()).filter(({ command }) => / app-server /.test(command))
    .flatMap(({ pid }) => {
      try {
        return [Deno.readLinkSync(`/proc/${pid}/exe`)];
      } catch {
        return []; // on its way out
      }
    });
}

/** Waits until the servers that run are as they should be. */
async function untilServers(lab: Lab, fit: (files: string[]) => boolean): Promise<void> {
  let files: string[] = [];
  const waiting = async () => {
    while (!fit(files = await servers(lab))) await new Promise((next) => setTimeout(next, 20));
  };
  await within(waiting(), "the servers", () => JSON.stringify(files));
}

Deno.test({
  name: "codex that is upgraded in place runs the next turns, of a kept thread and of a new one",
  ignore,
  async fn() {
    const [old, newest] = await Promise.all(
      ["0.169.0", NEWEST_CODEX].map(async (version) => (await codexBinary(version)).native),
    );
    assert.ok(old !== undefined && newest !== undefined);
    const folder = await Deno.makeTempDir();
    try {
      const path = join(folder, "codex");
      Deno.symlinkSync(old, path);
      await using lab = await Lab.open(path, { transport: "app-server" });
      await lab.succeed("before");
      await untilServers(lab, (files) => files.length === 2);
      assert.deepEqual(new Set(await servers(lab)), new Set([old]));
      Deno.removeSync(path);
      Deno.symlinkSync(newest, path);
      await lab.succeed("after");
      await lab.succeed("new", { workspace: await lab.sandbox.newWorkspace("other") });
      await untilServers(lab, (files) => files.length === 3 && !files.includes(old));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

for (
  const [what, config] of Object.entries({
    "exec is configured": { transport: "exec" },
    "none is to be kept": { warm: { max: 0 } },
    "none may wait": { warm: { idle_ms: 0 } },
    "an argument needs exec": { extra_args: ["--color", "never"] },
  })
) {
  Deno.test({
    name:
      `codex that waits, also for another agent, and the spare go after the next turn when ${what}`,
    ignore,
    async fn() {
      await using lab = await Lab.open(NEWEST_CODEX, { transport: "app-server" });
      const other = await lab.sandbox.newWorkspace("other");
      await lab.succeed("one", { workspace: other });
      await lab.succeed("one");
      await untilServers(lab, (files) => files.length === 3);
      await lab.sandbox.configure(config);
      await lab.succeed("two");
      await untilServers(lab, (files) => files.length === 0);
    },
  });
}

Deno.test({
  name: "log level of a changed file counts from the next turn on",
  ignore,
  async fn() {
    await using lab = await Lab.open(NEWEST_CODEX);
    await lab.succeed("one");
    const debug = () => lab.host.logs.filter(({ level }) => level === "debug").length;
    assert.equal(debug(), 0);
    await lab.sandbox.configure({ log_level: "debug" });
    await lab.succeed("two");
    assert.ok(debug() > 0);
  },
});
