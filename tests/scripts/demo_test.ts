/** The demo as a person with a pipe sees it. */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { marksByLimit } from "../../runner/process/turn_mark.ts";
import { ROOT } from "../../scripts/project.ts";
import { codexBinary, NEWEST_CODEX } from "../support/codex.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function demo(args: string[]): Promise<Deno.CommandOutput> {
  return await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", join(ROOT, "scripts/demo.ts"), ...args],
    stdin: "null",
  }).output();
}

Deno.test("demo plays its acts, ends with ok, leaves no folder and uses no colours", async () => {
  await codexBinary(NEWEST_CODEX);
  const { code, stdout, stderr } = await demo([]);
  const page = text(stdout);
  assert.equal(code, 0, page + text(stderr));
  assert.equal(page.trimEnd().split("\n").at(-1), "demo: ok");
  assert.match(page, /, resumed\n[^]*You keep the lighthouse at Petrel Point/);
  if (marksByLimit()) {
    assert.match(page, /codex {5}Fog came [^\n]*\n *\d+ ms {2}codex/, "in pieces");
    assert.match(page, /host {6}codex began after \d+ ms, in the turn after it after \d+ ms\n/);
  } else {
    assert.match(page, /codex does not stay on this machine: there is no prlimit/);
  }
  assert.ok(!page.includes("\x1b"));
  const profile = /^ *profile +(\S+)$/m.exec(page)?.[1];
  assert.ok(profile !== undefined && !existsSync(profile), page);
});

Deno.test("demo says what failed and exits 1, and 64 for an option it does not know", async () => {
  const failed = await demo(["--", "--codex", "/nowhere/codex"]);
  assert.equal(failed.code, 1);
  assert.match(text(failed.stderr), /demo: failed: Cannot start the codex at \/nowhere\/codex/);
  const wrong = await demo(["--", "--codx"]);
  assert.equal(wrong.code, 64);
  assert.match(text(wrong.stderr), /usage: deno task demo/);
});
