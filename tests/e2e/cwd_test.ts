/** A plugin, or a command, whose working directory is one in which nothing can be done. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { executable } from "../support/checkout.ts";
import { codexBinary, NEWEST_CODEX } from "../support/codex.ts";
import { startHost } from "../support/host.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { skipped } from "../support/skipped.ts";
import { asks, refusalOf } from "./world.ts";

/** Root enters every directory, unless it gave that power up; who cannot run `setpriv` is not root. */
const withoutPower = Deno.uid() === 0
  ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]
  : [];

function whyNot(): string {
  const [command, ...args] = [...withoutPower, "true"];
  try {
    return new Deno.Command(command, { args }).outputSync().success ? "" : "setpriv cannot";
  } catch {
    return "no setpriv";
  }
}

const WHY_NOT = whyNot();

/** Starts the executable in a directory that could be entered until then. */
async function inClosedDirectory(sandbox: Sandbox, said: string[] = []) {
  const { command, args } = await executable();
  const closed = join(sandbox.root, "closed");
  await Deno.mkdir(join(closed, "cwd"), { recursive: true });
  const script = `cd "$0/cwd" && chmod 0 "$0" && exec "$@"`;
  return {
    command: "/bin/sh",
    args: ["-c", script, closed, ...withoutPower, command, ...args, ...said],
    [Symbol.dispose]: () => Deno.chmodSync(closed, 0o700),
  };
}

for (const transport of ["exec", "app-server"]) {
  Deno.test({
    name: `turns over ${transport} work in a working directory that may not be entered`,
    ignore: skipped(WHY_NOT !== "", `a directory that may not be entered: ${WHY_NOT}`),
    async fn() {
      const { native } = await codexBinary(NEWEST_CODEX);
      const steps = [{ text: "done" }];
      await using sandbox = await openSandbox({ binary: native, config: { transport }, steps });
      // One that is asked for its version: what npm installed says it without.
      const codex = join(sandbox.root, "codex-wrapper");
      await Deno.writeTextFile(codex, `#!/bin/sh\nexec '${native}' "$@"\n`, { mode: 0o755 });
      await sandbox.configure({ binary: codex, transport });
      using command = await inClosedDirectory(sandbox);
      await using host = await startHost({ env: sandbox.env, command });
      await host.initialize();
      const turn = host.stream(asks(sandbox.workspace, "hello"));
      assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
      assert.equal(turn.text, "done");
    },
  });
}

Deno.test("turn says what to do after the working directory was removed", async () => {
  const { native } = await codexBinary(NEWEST_CODEX);
  const steps = [{ text: "done" }];
  await using sandbox = await openSandbox({ binary: native, config: { transport: "exec" }, steps });
  const cwd = join(sandbox.root, "removed");
  await Deno.mkdir(cwd);
  await using host = await startHost({ env: sandbox.env, cwd });
  await host.initialize();
  assert.equal(
    (await host.stream(asks(sandbox.workspace, "hello")).result).stop_reason,
    "end_turn",
  );
  await Deno.remove(cwd);
  const turn = host.stream(asks(sandbox.workspace, "go on"));
  const error = await refusalOf(turn);
  assert.deepEqual([error.kind, error.retryable], ["internal", false], error.message);
  assert.match(error.hint ?? "", /Start it again in one that stays/);
});

Deno.test({
  name: "doctor finds as much in a working directory that may not be entered as elsewhere",
  ignore: skipped(WHY_NOT !== "", `a directory that may not be entered: ${WHY_NOT}`),
  async fn() {
    const { native } = await codexBinary(NEWEST_CODEX);
    await using sandbox = await openSandbox({ binary: native });
    using closed = await inClosedDirectory(sandbox, ["doctor", "--verbose"]);
    const { command, args } = await executable();
    const elsewhere = { command, args: [...args, "doctor", "--verbose"] };
    const [there, here] = await Promise.all([closed, elsewhere].map(async ({ command, args }) => {
      const { stdout, stderr } = await new Deno.Command(command, {
        args,
        env: sandbox.env,
        clearEnv: true,
        stdin: "null",
      }).output();
      assert.equal(new TextDecoder().decode(stderr), "");
      return new TextDecoder().decode(stdout).replaceAll(/\b[\d.]+ (?=m?s\b|GiB)/g, "");
    }));
    assert.equal(there, here);
  },
});
