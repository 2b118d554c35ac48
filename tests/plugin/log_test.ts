/** Log lines: their shape, their threshold, and that no secret gets into one. */
import { strict as assert } from "node:assert";
import fc from "fast-check";
import { Log, redact, redactText } from "../../plugin/log.ts";
import { LOG_LEVELS, type LogParams } from "../../plugin/protocol.ts";

function logged(level: typeof LOG_LEVELS[number]): [Log, LogParams[]] {
  const lines: LogParams[] = [];
  return [new Log(level, (line) => lines.push(line)), lines];
}

Deno.test("log line carries level, logger, message and data", () => {
  const [log, lines] = logged("info");
  log.write("warning", "codex is slow", { agent: "cx", touched: 1 });
  assert.deepEqual(lines, [{
    level: "warning",
    logger: "plexum-openai-provider",
    data: { msg: "codex is slow", agent: "cx", touched: 1 },
  }]);
});

Deno.test("log sends its level and what is more urgent, and follows a change", () => {
  const [log, lines] = logged("emergency");
  for (const threshold of LOG_LEVELS) {
    log.asked = threshold;
    lines.length = 0;
    for (const level of LOG_LEVELS) log.write(level, "x");
    const urgent = LOG_LEVELS.slice(LOG_LEVELS.indexOf(threshold));
    assert.deepEqual(lines.map(({ level }) => level), urgent);
  }
});

const secret = fc.stringMatching(/^[A-Za-z0-9]{12,40}$/).map((text) => `Zq7${text}`);
const places: fc.Arbitrary<(secret: string) => unknown> = fc.constantFrom(
  (secret: string) => ({ token: secret }),
  (secret: string) => ({ OPENAI_API_KEY: secret }),
  (secret: string) => ({ env: { PLEXUM_MCP_TOKEN: [secret, { deep: secret }] } }),
  (secret: string) => ({ headers: { Authorization: { scheme: "Basic", value: secret } } }),
  (secret: string) => ({ note: `sk-${secret}` }),
  (secret: string) => ({ error: new Error(`401 for Bearer ${secret}`) }),
  (secret: string) => ({ list: [`eyJ${secret}.${secret}.${secret}`] }),
  (secret: string) => ({ url: `https://user:${secret}@proxy.example/x` }),
  (secret: string) => ({ url: `https://api.example/v1?api_key=${secret}&b=1` }),
  (secret: string) => ({ stderr: `export PLEXUM_MCP_TOKEN=${secret}\nnext` }),
  (secret: string) => ({ body: `{"access_token": "${secret}"}` }),
);

Deno.test("log shows no secret, wherever it stands", () => {
  fc.assert(
    fc.property(secret, places, fc.string(), (secret, place, message) => {
      const [log, lines] = logged("debug");
      log.write("debug", message, place(secret) as Record<string, unknown>);
      assert.doesNotMatch(JSON.stringify(lines), new RegExp(secret));
    }),
  );
});

Deno.test("log keeps what is no secret", () => {
  const data = {
    usage: { input_tokens: 5, cached_input_tokens: 0 },
    path: "/home/me/desk-top/risk-assessment.md",
    threads: ["019a0000-0000-7000-8000-000000000001", null, true],
    note: "5 tokens used, no password needed",
    url: "http://127.0.0.1:8080/v1",
  };
  assert.deepEqual(redact(data), data);
});

Deno.test("log cuts a text that is too long", () => {
  const text = redactText("é".repeat(10_000));
  assert.equal(text, "é".repeat(4096) + "…");
});

Deno.test("log shows the outside of what is nested deep, and as much as fits of what is long", () => {
  for (const [open, close] of [["[", "]"], ['{"a":', "}"]] as const) {
    const deep: unknown = JSON.parse(open.repeat(20_000) + "1" + close.repeat(20_000));
    const [log, lines] = logged("debug");
    log.write("debug", "deep", { deep });
    assert.match(JSON.stringify(lines), /^.{1,400}…/);
  }
  const [log, lines] = logged("debug");
  log.write("debug", "long", {
    list: Array.from({ length: 1_000_000 }, (_, n) => n),
    after: "seen",
  });
  const text = JSON.stringify(lines);
  assert.ok(text.length < 10_000, `${text.length}`);
  assert.match(text, /"seen"/);
});
