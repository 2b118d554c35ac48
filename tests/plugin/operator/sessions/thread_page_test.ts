import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { markup } from "../../../../plugin/operator/sessions/page_html.ts";
import { threadPage } from "../../../../plugin/operator/sessions/thread_page.ts";
import { reportThread } from "../../../../rollout/report/thread_reader.ts";
import { rolloutWith, THREAD } from "../session_files.ts";

const EVIL = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`;

Deno.test("the page shows hostile prompts, names, arguments, outputs and ids as text", () => {
  using file = rolloutWith([
    { call: `c' onclick="x`, name: EVIL, arguments: EVIL, output: EVIL.repeat(100) },
  ], EVIL);
  const report = reportThread(file.path);
  const thread = { threadId: THREAD, agentId: EVIL, rollout: { path: file.path } };
  const page = threadPage(report, thread);
  assert.doesNotMatch(page, /<script|<img|onerror='|<a[^>]*onclick/i);
  assert.match(page, /&lt;script&gt;alert\(1\)/);
  assert.match(page, /Content-Security-Policy" content="default-src 'none'; style-src/);
  assert.doesNotMatch(page, /https?:|url\(|@import/, "nothing is loaded");
  // What is to be pasted into a shell is one word there.
  assert.match(page, /sessions consume [0-9a-f-]{36} &#39;c&#39;\\&#39;&#39; onclick=&quot;x&#39;/);
});

Deno.test("markup escapes whatever it is given, and nothing that it made", () => {
  assert.equal(markup`<b>${"<i>"}</b>`.text, "<b>&lt;i&gt;</b>");
  assert.equal(markup`${markup`<b>`}${["a", markup`<c>`, undefined]}${5}`.text, "<b>a<c>5");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const shown = markup`${text}`.text;
    assert.doesNotMatch(shown, /[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
    assert.doesNotMatch(shown, /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
  }));
});

Deno.test("a thread with very many calls is still a page of a few megabytes", () => {
  const calls = Array.from(
    { length: 20_000 },
    (_, i) => ({ call: `c${i}`, output: "x".repeat(2000) }),
  );
  using file = rolloutWith(calls);
  const report = reportThread(file.path);
  const page = threadPage(report, { threadId: THREAD, rollout: { path: file.path } });
  assert.match(page, /20,000/);
  assert.ok(page.length < 1000 * calls.length, `${page.length}`);
});
