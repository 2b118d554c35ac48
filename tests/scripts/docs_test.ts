import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { dirname, join } from "@std/path";
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
    const fixed = message.split(/…|\b(?:PATH|KEY|NAME|DIR|ID|FILE|SOCKET|METHOD|X|N)\b/)
      .map((part) => part.trim().replace(/^[:;(.]+ ?| ?[:;().]+$/g, "")).filter((part) =>
        part.length > 3
      );
    assert.ok(fixed.length > 0, message);
    for (const part of fixed) assert.ok(sources.includes(part), `${message}: "${part}"`);
  }
});

Deno.test("every link in every page leads somewhere, to a heading that is there", () => {
  const names = filesOf("*.md");
  assert.ok(names.includes("README.md") && names.includes("docs/protocol.md"), names.join(" "));
  for (const name of names) {
    const page = join(ROOT, name);
    for (const target of linksOf(Deno.readTextFileSync(page))) {
      const [path = "", heading] = target.split("#");
      const to = path === "" ? page : join(dirname(page), path);
      assert.ok(existsSync(to), `${name} links to ${target}`);
      if (heading === undefined) continue;
      const headings = headingsOf(Deno.readTextFileSync(to));
      assert.ok(headings.includes(heading), `${name} links to ${target}: no such heading`);
    }
  }
});

Deno.test("every source file that a page names is there", () => {
  const files = filesOf("*.ts", "*.mjs", "*.py").map((path) => `/${path}`);
  for (const name of filesOf("*.md")) {
    const page = Deno.readTextFileSync(join(ROOT, name));
    for (const [, named = ""] of page.matchAll(/`([\w./-]+\.(?:ts|mjs|py))`/g)) {
      assert.ok(files.some((path) => path.endsWith(`/${named}`)), `${name} names ${named}`);
    }
  }
});

Deno.test("links and headings are found as a forge finds them", () => {
  const page =
    "# `a` B-c, d!\n[x](y.md#z) ![i](i.svg) [w](https://w)\n[r]: r.md\n```\n# no\n[n](n)\n```\n";
  assert.deepEqual(linksOf(page), ["y.md#z", "i.svg", "r.md"]);
  assert.deepEqual(headingsOf(page), ["a-b-c-d"]);
});

/** This checkout's files that fit a pattern of git, as paths below its root. */
function filesOf(...patterns: string[]): string[] {
  const { stdout } = new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", ...patterns],
    cwd: ROOT,
  }).outputSync();
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean);
}

/** What a page links to and shows, but for the web. */
function linksOf(markdown: string): string[] {
  const links = /\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)|\b(?:src|href)="([^"]+)"/gm;
  return [...withoutCode(markdown).matchAll(links)]
    .map(([, inline, reference, html]) => inline ?? reference ?? html ?? "")
    .filter((target) => !/^(?:https?|mailto):/.test(target));
}

/** A page's headings, as the end of a link names them. */
function headingsOf(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/^#+ +(.+)$/gm)].map(([, text = ""]) =>
    text.trim().toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")
  );
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^ *```[^]*?^ *```/gm, "");
}

/** All of the program, with texts that are put together from literals made whole. */
function sourceText(): string {
  const read = (directory: string): string =>
    [...Deno.readDirSync(directory)].map(({ name, isDirectory }) => {
      const path = join(directory, name);
      return isDirectory ? read(path) : Deno.readTextFileSync(path);
    }).join("\n");
  return ["base", "plugin", "runner", "rollout", "mcp_host"].map((room) => read(join(ROOT, room)))
    .join(
      "\n",
    )
    .replace(/[`"]\s*\+\s*[`"]/g, "");
}
