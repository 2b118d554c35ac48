/** A TMPDIR that leads nowhere: turns work where another directory serves, and nothing is a stack trace. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { executable } from "../support/checkout.ts";
import { codexBinary, NEWEST_CODEX } from "../support/codex.ts";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";
import { asks } from "./world.ts";

const tools = [{ name: "search", description: "finds", inputSchema: { type: "object" } }];

for (const which of ["missing", "a file"]) {
  Deno.test(`turn with host tools works although TMPDIR is ${which}`, async () => {
    const { native } = await codexBinary(NEWEST_CODEX);
    await using sandbox = await openSandbox({ binary: native, steps: [{ text: "done" }] });
    const { XDG_RUNTIME_DIR: _, ...env } = sandbox.env;
    const file = join(sandbox.root, "file");
    await Deno.writeTextFile(file, "");
    env.TMPDIR = which === "missing" ? "/nowhere/at/all" : file;
    await using host = await startHost({ env });
    await host.initialize();
    const turn = host.stream(asks(sandbox.workspace, "hello", { tools }));
    assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
    assert.equal(turn.text, "done");
    assert.deepEqual(host.stderr, "");

    const { command, args } = await executable();
    for (const said of [["--version"], ["sessions", "list"], ["config", "check"], ["doctor"]]) {
      const { stdout, stderr } = await new Deno.Command(command, {
        args: [...args, ...said],
        env,
        clearEnv: true,
        stdin: "null",
      }).output();
      const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert.doesNotMatch(text, /^\s+at |Uncaught|panicked/m, said.join(" "));
    }
  });
}

Deno.test("executable does not start with a relative TMPDIR, and says which path is meant (docs/limitations.md)", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const { command, args } = await executable();
  if (args.length > 0) return; // not compiled: run by Deno, which does not mind
  const { code, stderr } = await new Deno.Command(command, {
    args: [...args, "--version"],
    env: { ...sandbox.env, TMPDIR: "some/where" },
    clearEnv: true,
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stderr);
  assert.equal(code, 1);
  assert.match(text, /Could not convert path to URL\.\s+Path: some\/where/);
  assert.doesNotMatch(text, /^\s+at |backtrace/im);
});
