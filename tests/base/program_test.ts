import { strict as assert } from "node:assert";
import { dirname, join } from "@std/path";
import {
  type ProgramEnd,
  ProgramError,
  type ProgramOptions,
  runProgram,
} from "../../base/program.ts";
import { noProcessUnder, processesUnder } from "../support/processes.ts";

/** Runs a shell script in a folder of its own; nothing of it may be left when it is over. */
async function script(
  text: string,
  options: Partial<ProgramOptions> = {},
  check: (run: Promise<ProgramEnd>, root: string) => Promise<void> = async (run) => void await run,
): Promise<void> {
  const root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "plexum-program-" }));
  try {
    await check(
      runProgram("/bin/sh", ["-c", text, root], { timeMs: 60_000, cwd: root, ...options }),
      root,
    );
    await noProcessUnder(root);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

function why(expected: ProgramError["why"], message: RegExp, stdout = "") {
  return async (run: Promise<ProgramEnd>): Promise<void> => {
    await assert.rejects(run, (error: unknown) => {
      assert.ok(error instanceof ProgramError, String(error));
      assert.equal(error.why, expected);
      assert.match(error.message, message);
      assert.equal(error.stdout, stdout);
      return true;
    });
  };
}

Deno.test("runProgram tells what a program printed and how it ended", async () => {
  await script("echo out; echo err >&2; exit 3", {}, async (run) => {
    assert.deepEqual(await run, { code: 3, signal: undefined, stdout: "out\n", stderr: "err\n" });
  });
  await script("kill -9 $$", {}, async (run) => assert.equal((await run).signal, "SIGKILL"));
});

Deno.test("runProgram gives exactly the environment that it is told", async () => {
  await script('echo "$PLEXUM_A:$HOME"', { env: { PLEXUM_A: "a" } }, async (run) => {
    assert.equal((await run).stdout, "a:\n");
  });
});

Deno.test("runProgram says why a program could not be started", async () => {
  const run = runProgram("/nowhere/codex", [], { timeMs: 1000 });
  await why("start", /No such file or directory/)(run);
});

Deno.test("runProgram ends a program that takes too long, with all of its group", async () => {
  await script(
    "trap '' INT TERM; (trap '' INT TERM; sleep 1000) & echo started; sleep 1000",
    { timeMs: 500 },
    why("time", /^it did not end within 0\.5 s$/, "started\n"),
  );
});

Deno.test("runProgram hears a cancel, also one that came before", async () => {
  const control = new AbortController();
  await script(
    "sleep 1000 & sleep 1000",
    { signal: control.signal },
    async (run) => {
      control.abort();
      await why("cancelled", /cancelled/)(run);
    },
  );
  await script("exit 0", { signal: control.signal }, why("cancelled", /cancelled/));
});

Deno.test("runProgram ends a program that prints more than it may", async () => {
  await script(
    "yes",
    { maxBytes: 4 },
    why("output", /^it printed more than 4 bytes$/, "y\ny\n"),
  );
  await script("yes >&2", { maxBytes: 4 }, why("output", /more than 4 bytes/));
});

Deno.test("runProgram does not wait for a child that holds the pipe when the program is gone", async () => {
  await script("echo answer; sleep 1000 & exit 0", {}, async (run) => {
    assert.deepEqual(await run, { code: 0, signal: undefined, stdout: "answer\n", stderr: "" });
  });
});

Deno.test("runProgram stops reading what a stranger in another session writes into the pipe", async () => {
  for (const noise of ["yes", "while :; do echo x; sleep 0.01; done"]) {
    const began = performance.now();
    await script(
      `setsid sh -c 'echo $$ > pid; exec sh -c "${noise}"' & while ! [ -s pid ]; do :; done; exit 0`,
      { maxBytes: 1 << 26 },
      async (run, root) => {
        assert.equal((await run).code, 0);
        try {
          Deno.kill(-Number(Deno.readTextFileSync(`${root}/pid`)), "SIGKILL");
        } catch (error) {
          assert.ok(error instanceof Deno.errors.NotFound); // nobody reads: it may have died of that
        }
        while ((await processesUnder(root)).length > 0);
      },
    );
    assert.ok(performance.now() - began < 20_000);
  }
});

Deno.test("runProgram starts a program that is just being written, when that is done, and gives up in time", async () => {
  const path = join(Deno.makeTempDirSync({ prefix: "plexum-busy-" }), "program");
  const writing = Deno.openSync(path, { write: true, createNew: true, mode: 0o755 });
  writing.writeSync(new TextEncoder().encode("#!/bin/sh\necho out\n"));
  try {
    const options = { timeMs: 10_000 };
    await assert.rejects(runProgram(path, [], options), /busy/);
    const cancelled = { ...options, signal: AbortSignal.timeout(1) };
    await assert.rejects(runProgram(path, [], cancelled), /cancelled/);
    const run = runProgram(path, [], options);
    writing.close();
    assert.equal((await run).stdout, "out\n");
  } finally {
    Deno.removeSync(dirname(path), { recursive: true });
  }
});

Deno.test("a look-up has no stderr and no group", async () => {
  await script("echo out; echo err >&2", { lookup: true }, async (run) => {
    assert.deepEqual(await run, { code: 0, signal: undefined, stdout: "out\n", stderr: "" });
  });
  await script("exec sleep 1000", { lookup: true, timeMs: 200 }, why("time", /0\.2 s/));
});
