/**
 * Every command of ours in the README and in docs/ is run, page by page, in order, in a profile of its
 * own with a real codex and the scripted model.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { ROOT } from "../support/checkout.ts";
import { isCompiled, run } from "../plugin/operator/command_line.ts";
import { codexBinary, NEWEST_CODEX } from "../support/codex.ts";
import { openSandbox } from "../support/sandbox.ts";

const ignore = !await isCompiled();

/** The command lines of our executable in the fenced shell blocks of a page, as words. */
function commandsIn(markdown: string): string[][] {
  return [...markdown.matchAll(/^```(?:console|sh)\n([^]*?)^```/gm)]
    .flatMap(([, block = ""]) => block.split("\n"))
    .flatMap((line) =>
      /^(?:\$ )?(?:dist\/)?plexum-openai-provider-plugin(?: (.*))?$/.exec(line)?.[1] ?? []
    )
    .map((line) => (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', "")));
}

const pages = [
  "README.md",
  ...[...Deno.readDirSync(join(ROOT, "docs"))]
    .filter(({ name }) => name.endsWith(".md")).map(({ name }) => `docs/${name}`).sort(),
]
  .map((page) => ({ page, commands: commandsIn(Deno.readTextFileSync(join(ROOT, page))) }))
  .filter(({ commands }) => commands.length > 0);

Deno.test("the docs have commands to run", () => {
  assert.deepEqual(commandsIn('```console\n$ plexum-openai-provider-plugin turn "a b" -x\n```\n'), [
    ["turn", "a b", "-x"],
  ]);
  assert.ok(pages.length >= 4, pages.map(({ page }) => page).join(", "));
});

for (const { page, commands } of pages) {
  Deno.test({ name: `every command in ${page} does what it is there for`, ignore }, async () => {
    await using sandbox = await openSandbox({ binary: (await codexBinary(NEWEST_CODEX)).native });
    const { env, workspace: cwd } = sandbox;
    const installed = await run(["install", "--allow"], { env, cwd });
    assert.equal(installed.code, 0, installed.stderr);
    for (const words of commands) {
      const { code, stdout, stderr } = await run(words, { env, cwd });
      assert.equal(code, 0, `${words.join(" ")}\n${stdout}\n${stderr}`);
      assert.notEqual(stdout, "", words.join(" "));
    }
  });
}
