import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { markup } from "../../../../plugin/operator/sessions/page_parts.ts";
import { threadPage } from "../../../../plugin/operator/sessions/thread_page.ts";
import { reportThread } from "../../../../rollout/report/thread_reader.ts";
import { rolloutWith, THREAD } from "../session_files.ts";

const EVIL = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`;

/** The page of a session file. */
function pageOf(path: string, agentId?: string): string {
  const thread = { threadId: THREAD, agentId, rollout: { path }, waiting: new Map() };
  return threadPage(reportThread(path), thread, (call) => call);
}

Deno.test("the page shows hostile prompts, names, arguments, outputs and ids as text", () => {
  using file = rolloutWith([
    { call: `c' onclick="x`, name: EVIL, arguments: EVIL, output: EVIL.repeat(100) },
  ], EVIL);
  const page = pageOf(file.path, EVIL);
  assert.equal(page.match(/<script/g)?.length, 1, "the page's own");
  assert.doesNotMatch(page, /<img|onerror='|<a[^>]*onclick/i);
  assert.match(page, /&lt;script&gt;alert\(1\)/);
  assert.doesNotMatch(page, /https?:|url\(|@import/, "nothing is loaded");
  // What is to be pasted into a shell is one word there, and only looks.
  assert.match(
    page,
    /sessions consume [0-9a-f-]{36} &#39;c&#39;\\&#39;&#39; onclick=&quot;x&#39; --dry-run</,
  );
});

Deno.test("the page lets only its own script run, by its hash", () => {
  using file = rolloutWith([{ call: "c", output: "x" }]);
  const page = pageOf(file.path);
  const [, policy = ""] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  const [, script = ""] = /<script>([^]*?)<\/script>/.exec(page) ?? [];
  const hash = createHash("sha256").update(script).digest("base64");
  assert.equal(
    policy,
    `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`,
  );
});

Deno.test("markup escapes whatever it is given, and nothing that it made", () => {
  assert.equal(markup`<b>${"<i>"}</b>`.text, "<b>&lt;i&gt;</b>");
  assert.equal(markup`${markup`<b>`}${["a", markup`<c>`, undefined]}${5}`.text, "<b>a<c>5");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const shown = markup`${text}`.text;
    assert.doesNotMatch(shown, /[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
    assert.doesNotMatch(shown, /(?![\n\t])\p{Cc}|\p{Bidi_Control}/u);
  }));
});

Deno.test("the page ranks by tokens: a picture is large, however few bytes of text stand beside it", () => {
  const picture = { type: "input_image", image_url: "data:image/png;base64,AA==" };
  const output = (call_id: string, output: unknown) =>
    JSON.stringify({
      timestamp: "2026-11-20T09:00:00.123Z",
      type: "response_item",
      payload: { type: "function_call_output", call_id, output },
    });
  using file = rolloutWith([
    { call: "text", name: "cat", output: "x".repeat(2000) },
    { call: "picture", name: "view_image", output: "" },
    output("picture", [picture]),
  ]);
  const page = pageOf(file.path);
  assert.match(page, /1,00\d tokens<small>[^<]* · 1 image/);
  const rows = [...page.matchAll(/<span class="what"><b>([^<]*)/g)].map(([, name]) => name);
  assert.deepEqual(rows, ["view_image", "cat"]);
});

Deno.test("the page marks a call whose consume waits", () => {
  using file = rolloutWith([{ call: "c1", output: "x".repeat(99) }, { call: "c2", output: "y" }]);
  const waiting = new Map([["c1", "consume-light" as const]]);
  const thread = { threadId: THREAD, rollout: { path: file.path }, waiting };
  const page = threadPage(reportThread(file.path), thread, (call) => call);
  assert.equal(page.match(/<span class="chip warn">consume waits</g)?.length, 1);
  assert.match(page, /class="chip held">in context</);
});

Deno.test("the page shows what a consume freed", () => {
  const consumed = JSON.stringify({
    timestamp: "2026-11-20T09:00:00.123Z",
    type: "response_item",
    payload: { type: "function_call_output", call_id: "c", output: "...(consumed)" },
  });
  using file = rolloutWith([
    JSON.stringify({
      timestamp: "2026-11-20T09:00:00.123Z",
      type: "response_item",
      payload: { type: "function_call", name: "cat", arguments: "{}", call_id: "c" },
    }),
    consumed + " ".repeat(8000),
    { call: "d", output: "x".repeat(400) },
  ]);
  const page = pageOf(file.path);
  assert.match(page, /Freed: 8\.0 kB, at most 2,000 tokens/);
  assert.match(page, /<i class="gone" style="width: \d\d/);
  assert.match(page, /consumed, 8\.0 kB freed/);
});

Deno.test("a thread with very many calls is a page that a browser opens at once, the newest on it", () => {
  const calls = Array.from(
    { length: 30_000 },
    (_, i) => ({ call: `c${i}`, output: `output ${i} `.padEnd(2000, "x") }),
  );
  using file = rolloutWith(calls);
  const page = pageOf(file.path);
  assert.match(page, /30,000/);
  assert.ok(page.includes("output 29999 "), "the newest");
  assert.match(page, /older calls of turn 1 are not on this page/);
  assert.ok(page.length < 2_000_000, `${page.length}`);
});
