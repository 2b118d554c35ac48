import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { fill, stale } from "../../scripts/docs.ts";
import { manPage } from "../../scripts/man.ts";
import { ROOT } from "../../scripts/project.ts";

Deno.test("what is generated in docs/ is up to date", async () => {
  assert.deepEqual(await stale(), [], "run: deno task docs");
});

Deno.test("a generated part that nobody knows is refused by name", () => {
  const page = "a\n<!-- generated: nonsense -->\nold\n<!-- end -->\n";
  assert.throws(() => fill(page, "x.md"), /x\.md: there is no generated part "nonsense"/);
  assert.equal(fill("no parts", "x.md"), "no parts");
});

Deno.test("the man page has no line that troff would take for a request of its own", () => {
  const requests = /^\.(?:TH|SH|SS|HP|PP|TP|B|I|nf|fi)(?: |$)/;
  for (const line of manPage().trimEnd().split("\n")) {
    assert.ok(!/^[.']/.test(line) || requests.test(line), line);
  }
});

Deno.test("every message in docs/troubleshooting.md is still in the sources", () => {
  const sources = sourceText();
  const page = Deno.readTextFileSync(join(ROOT, "docs", "troubleshooting.md"));
  const messages = [...page.matchAll(/^### `(.+)`$/gm)].map(([, message = ""]) => message);
  assert.ok(messages.length > 25);
  for (const message of messages) {
    // Names in capitals and dots stand for what differs.
    const fixed = message.split(/…|\b(?:PATH|KEY|NAME|DIR|ID|FILE|SOCKET|METHOD|X)\b/)
      .map((part) => part.trim().replace(/^[:;(.]+ ?| ?[:;().]+$/g, "")).filter((part) =>
        part.length > 3
      );
    assert.ok(fixed.length > 0, message);
    for (const part of fixed) assert.ok(sources.includes(part), `${message}: "${part}"`);
  }
});

Deno.test("every link in the operators' pages leads somewhere", () => {
  for (const name of ["operators", "configuration", "troubleshooting", "security", "limitations"]) {
    const text = Deno.readTextFileSync(join(ROOT, "docs", `${name}.md`));
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)) {
      assert.ok(Deno.statSync(join(ROOT, "docs", target)), `${name}.md links to ${target}`);
    }
  }
});

/** All of the program, with texts that are put together from literals made whole. */
function sourceText(): string {
  const read = (directory: string): string =>
    [...Deno.readDirSync(directory)].map(({ name, isDirectory }) => {
      const path = join(directory, name);
      return isDirectory ? read(path) : Deno.readTextFileSync(path);
    }).join("\n");
  return ["plugin", "runner", "rollout", "mcp_host"].map((room) => read(join(ROOT, room))).join(
    "\n",
  )
    .replace(/[`"]\s*\+\s*[`"]/g, "");
}
