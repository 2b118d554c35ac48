import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { findCodex } from "../../../runner/codex/codex_binary.ts";
import { type Failure, TurnError } from "../../../runner/turn_event.ts";
import { codexBinary, NEWEST_CODEX } from "../../support/codex.ts";

/** A program that answers `--version` with `said`, and counts how often it was asked. */
class Program {
  readonly dir = Deno.realPathSync(Deno.makeTempDirSync());
  readonly path = join(this.dir, "codex");

  constructor(said: string) {
    this.says(said);
  }

  says(said: string): void {
    const script = `#!/bin/sh\necho x >> '${this.dir}/asked'\n${said}\n`;
    Deno.writeTextFileSync(this.path, script);
    Deno.chmodSync(this.path, 0o755);
  }

  get asked(): number {
    return Deno.readTextFileSync(join(this.dir, "asked")).length / 2;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

const ENV = { PATH: "/usr/bin:/bin", HOME: "/nowhere" };

async function failureOf(name: string, env: Record<string, string> = ENV): Promise<Failure> {
  const error: unknown = await findCodex(name, env).then(() => undefined, (error) => error);
  assert.ok(error instanceof TurnError, `${name} must not be found`);
  assert.ok(error.failure.hint);
  return error.failure;
}

Deno.test("findCodex starts the native binary behind the launcher", async () => {
  const { native, launcher } = await codexBinary(NEWEST_CODEX);
  const found = await findCodex(launcher, { ...ENV, PATH: Deno.env.get("PATH") ?? "" });
  assert.equal(found.path, Deno.realPathSync(native));
  assert.equal(found.found, launcher);
  assert.equal(found.capabilities.version, NEWEST_CODEX);
  assert.equal(found.env.CODEX_MANAGED_BY_NPM, "1");
});

Deno.test("findCodex names every place where codex is not", async () => {
  const { kind, message, retryable } = await failureOf("no-such-codex", {
    PATH: "/opt/a:/opt/b",
    HOME: "/home/somebody",
  });
  assert.deepEqual([kind, retryable], ["codex_missing", false]);
  assert.match(message, /"no-such-codex".*\/opt\/a, \/opt\/b, \/home\/somebody\/\.local\/bin/);
});

Deno.test("findCodex takes a machine that is short of processes for no fault of codex's", async () => {
  using codex = new Program("echo codex-cli 0.171.0");
  const Command = Deno.Command;
  try {
    Deno.Command = class extends Command {
      override spawn(): never {
        throw new Error("Resource temporarily unavailable (os error 11)");
      }
    };
    const { kind, message, retryable } = await failureOf(codex.path);
    assert.deepEqual([kind, retryable], ["internal", true]);
    assert.match(message, /asked for its version: .*os error 11/);
  } finally {
    Deno.Command = Command;
  }
  assert.equal((await findCodex(codex.path, ENV)).capabilities.version, "0.171.0");
});

Deno.test("findCodex refuses a codex that is too old, and takes a newer one than was tested", async () => {
  using old = new Program("echo codex-cli 0.134.9");
  const { kind, message } = await failureOf(old.path);
  assert.equal(kind, "codex_too_old");
  assert.match(message, /is version 0\.134\.9, at least 0\.135\.0 is needed/);
  using newer = new Program("echo codex-cli 3.0.0");
  const { capabilities } = await findCodex(newer.path, ENV);
  assert.deepEqual([capabilities.supported, capabilities.untested], [true, true]);
});

Deno.test("findCodex says what a program answered that is no codex", async () => {
  using garbage = new Program("echo I am a teapot; exit 3");
  assert.match((await failureOf(garbage.path)).message, /did not answer .* I am a teapot/);
  using silent = new Program("exit 1");
  assert.equal((await failureOf(silent.path)).kind, "codex_missing");
  using broken = new Program("");
  Deno.writeTextFileSync(broken.path, "\x7fELF not really");
  assert.equal((await failureOf(broken.path)).kind, "codex_missing");
});

Deno.test("findCodex asks a file for its version once, and again when it has changed", async () => {
  using program = new Program("echo codex-cli 0.150.1");
  const versions = async () =>
    (await Promise.all([1, 2, 3].map(() => findCodex(program.path, ENV))))
      .map(({ capabilities }) => capabilities.version);
  assert.deepEqual(await versions(), ["0.150.1", "0.150.1", "0.150.1"]);
  assert.equal(program.asked, 1);
  program.says("echo codex-cli 0.169.0 # upgraded");
  assert.deepEqual(await versions(), ["0.169.0", "0.169.0", "0.169.0"]);
  assert.equal(program.asked, 2);
});

Deno.test("findCodex asks again after an answer that was no version, and says how it ended", async () => {
  using program = new Program("exit 3");
  assert.match((await failureOf(program.path)).message, /version, but: exit code 3$/);
  program.says("kill -9 $$");
  assert.match((await failureOf(program.path)).message, /version, but: it was ended by SIGKILL$/);
  assert.equal(program.asked, 2);
});

Deno.test("findCodex hands the environment to the program", async () => {
  using program = new Program('echo "codex-cli $SAID"');
  const { capabilities } = await findCodex(program.path, { ...ENV, SAID: "0.155.1" });
  assert.equal(capabilities.version, "0.155.1");
});

Deno.test("findCodex has its answer although a child of the program keeps the pipe", async () => {
  using program = new Program("echo codex-cli 0.169.0; sleep 1000 & exit 0");
  assert.equal((await findCodex(program.path, ENV)).capabilities.version, "0.169.0");
});

Deno.test("findCodex hears a cancel, and others who wait for the same answer still get it", async () => {
  using program = new Program(
    "sleep 1000 & while ! [ -e ${0%/*}/go ]; do :; done; echo codex-cli 0.169.0",
  );
  const control = new AbortController();
  const [given, waiting] = [
    findCodex(program.path, ENV, control.signal),
    findCodex(program.path, ENV, new AbortController().signal),
  ];
  control.abort(new Error("cancelled"));
  await assert.rejects(given, /^Error: cancelled$/);
  Deno.writeTextFileSync(join(program.dir, "go"), "");
  assert.equal((await waiting).capabilities.version, "0.169.0");
  assert.equal(program.asked, 1);
});
