import { strict as assert } from "node:assert";
import fc from "fast-check";
import { type Followed, Follower } from "../../rollout/follow.ts";
import { within } from "../support/deadline.ts";
import { allCaptured, captured, CodexHome, linesOf } from "./rollouts.ts";

const drain = (follower: Follower) => Array.fromAsync(follower.drain());
const finish = (follower: Follower) => Array.fromAsync(follower.finish());

/** What following the whole captured file says. */
async function follow(version: string, scenario: string): Promise<Followed[]> {
  using home = new CodexHome();
  const rollout = captured(version, scenario);
  home.put(rollout);
  using follower = new Follower({ codexHome: home.dir, threadId: rollout.threadId, from: 0 });
  return [...await drain(follower), ...await finish(follower)];
}

/** Calls and results in short: `id name` and `id = output`, errors marked with `!`. */
function callsIn(followed: Followed[]): string[] {
  const short = (output: string | unknown[]): string =>
    (typeof output === "string" ? output : JSON.stringify(output)).replaceAll("\n", "|")
      .slice(0, 60);
  return followed.flatMap((event) => {
    switch (event.type) {
      case "call":
        return [`${event.id} ${event.namespace ? event.namespace + "." : ""}${event.name}`];
      case "result": {
        const part = event.part === undefined ? "" : `#${event.part}`;
        return [`${event.id}${part} =${event.isError ? "!" : ""} ${short(event.output)}`];
      }
      default:
        return [];
    }
  });
}

Deno.test("Follower tells a shell call and its result with codex's own id", async () => {
  for (const version of ["0.135.0", "0.169.0"]) {
    const followed = await follow(version, "shell-ok");
    const [call, result] = followed.filter((e) => e.type === "call" || e.type === "result");
    assert.deepEqual(call, {
      type: "call",
      id: "call_sh1",
      name: "exec_command",
      arguments: '{"cmd":"echo hello; echo err >&2; pwd"}',
    });
    assert.equal(result?.type === "result" && result.isError, false);
    assert.equal(result && "part" in result, false);
    assert.equal(followed.at(-1)?.type, "task_complete");
    const usage = followed.findLast((event) => event.type === "usage");
    assert.deepEqual(usage?.total, {
      inputTokens: 900,
      cachedInputTokens: 400,
      outputTokens: 50,
      reasoningOutputTokens: 12,
    });
    assert.equal(usage?.last.inputTokens, 500);
  }
});

Deno.test("Follower marks failed calls, by the event or by codex's own words", async () => {
  const cases: [version: string, scenario: string, results: string[]][] = [
    ["0.135.0", "shell-fail", [
      "call_sh1 =! Chunk ID: 4b4b27|Wall time: 0.0002 seconds|Process exited wi",
    ]],
    ["0.169.0", "shell-sandbox-readonly", [
      "call_sh1 =! Chunk ID: 88035d|Wall time: 0.0000 seconds|Process exited wi",
    ]],
    ["0.135.0", "mcp-iserror", [
      'call_mcp1 =! Wall time: 0.0056 seconds|Output:|[{"type":"text","text":"to',
    ]],
    ["0.169.0", "mcp-iserror", [
      'call_mcp1 =! [{"type":"input_text","text":"Wall time: 0.0061 seconds\\nOut',
    ]],
    ["0.169.0", "mcp-throw", [
      'call_mcp1 =! [{"type":"input_text","text":"Wall time: 0.0058 seconds\\nOut',
    ]],
    ["0.135.0", "mcp-badargs", [
      'call_mcp1 =! Wall time: 0.0001 seconds|Output:|[{"type":"text","text":"er',
    ]],
    ["0.169.0", "mcp-badargs", [
      'call_mcp1 =! [{"type":"input_text","text":"Wall time: 0.0004 seconds\\nOut',
    ]],
    ["0.169.0", "unknown-tool", ["call_u1 =! unsupported call: no_such_tool"]],
    ["0.135.0", "bad-args", [
      "call_u1 =! failed to parse function arguments: key must be a string at ",
    ]],
    ["0.169.0", "cm-throw", [
      'call_js1#0 =! [{"type":"input_text","text":"Script failed\\nWall time 0.0 s',
    ]],
    ["0.169.0", "cancel-shell-SIGINT-native", ["call_1 =! Wall time: 1.6 seconds|aborted by user"]],
    ["0.135.0", "cancel-shell-SIGINT-native", ["call_1 =! aborted by user after 1.7s"]],
  ];
  for (const [version, scenario, expected] of cases) {
    const results = callsIn(await follow(version, scenario)).filter((line) => line.includes("="));
    assert.deepEqual(results, expected, `${version}/${scenario}`);
  }
});

Deno.test("Follower does not take what a tool printed for codex's words", async () => {
  for (const [version, scenario] of [["0.169.0", "mcp-echo"], ["0.135.0", "patch-ok"]] as const) {
    const results = (await follow(version, scenario)).filter((event) => event.type === "result");
    assert.deepEqual(results.map((result) => result.isError), [false]);
  }
});

Deno.test("Follower tells tool searches and shell calls of the older form", async () => {
  assert.deepEqual(callsIn(await follow("0.169.0", "mcp-toolsearch")).slice(0, 3), [
    "call_ts1 tool_search",
    'call_ts1 = [{"type":"namespace","name":"mcp__lab","description":"Lab se',
    "call_mcp1 mcp__lab.echo",
  ]);
  // codex does not run it and records no output; the model is told "aborted".
  assert.deepEqual(callsIn(await follow("0.135.0", "local-shell")), [
    "call_ls1 local_shell",
    "call_ls1 =! aborted",
  ]);
});

Deno.test("Follower gives a call that codex never answered an aborted result, at the end only", async () => {
  using home = new CodexHome();
  const rollout = captured("0.169.0", "cancel-shell-SIGKILL-native");
  home.put(rollout);
  using follower = new Follower({ codexHome: home.dir, threadId: rollout.threadId, from: 0 });
  assert.deepEqual(callsIn(await drain(follower)), ["call_1 exec_command"]);
  assert.deepEqual(callsIn(await finish(follower)), ["call_1 =! aborted"]);
  assert.deepEqual(await finish(follower), []);
});

for (const [filler, told] of [[0, "real"], [3, "real"], [24, "aborted"]] as const) {
  Deno.test(`Follower tells what stands ${filler} MiB further when it has no more time as ${told}`, async () => {
    using home = new CodexHome();
    const { threadId, bytes } = captured("0.169.0", "shell-ok");
    const record = (payload: unknown) =>
      JSON.stringify({ timestamp: "2026-11-22T12:28:35.745Z", type: "response_item", payload }) +
      "\n";
    const path = home.path(threadId);
    Deno.writeTextFileSync(
      path,
      `${linesOf(bytes)[0]}\n` +
        record({ type: "function_call", name: "shell", arguments: "{}", call_id: "call_1" }),
    );
    using follower = new Follower({ codexHome: home.dir, threadId, from: 0 });
    assert.deepEqual(callsIn(await drain(follower)), ["call_1 shell"]);
    const filling = record({ type: "message", role: "user", content: "x".repeat(1000) });
    const output = record({ type: "function_call_output", call_id: "call_1", output: "real" });
    const records = filling.repeat(Math.floor(filler * 2 ** 20 / filling.length));
    // The last line lacks its newline, which a codex that was killed did not write any more.
    const rest = records + output.trimEnd();
    Deno.writeTextFileSync(path, rest, { append: true });
    assert.deepEqual(await Array.fromAsync(follower.drain(AbortSignal.abort())), []);
    const last = await Array.fromAsync(follower.finish(AbortSignal.abort()));
    assert.deepEqual(callsIn(last), [`call_1 =${told === "aborted" ? "!" : ""} ${told}`]);
  });
}

Deno.test("Follower tells which of many ways to fail were failures (0.150)", async () => {
  const results = (await follow("0.150.1", "failures")).filter((event) => event.type === "result");
  const failed = results.filter((result) => result.isError).map((result) => result.id);
  // call_2 is an MCP call that went well.
  assert.deepEqual(failed, [
    ...["call_1", "call_3", "call_4", "call_5", "call_6", "call_7"],
    ...["call_badpatch", "call_garbagepatch", "call_8"],
  ]);
  assert.equal(results.length, failed.length + 1);
});

Deno.test("Follower numbers the outputs of one code-mode script", async () => {
  assert.deepEqual(callsIn(await follow("0.150.1", "cm-notify")), [
    "call_js functions.exec",
    'call_js#0 = [{"type":"input_text","text":"Script completed\\nWall time 0.',
    "call_js#1 = one",
    "call_js#2 = two",
    "call_js2 functions.exec",
    'call_js2#0 = [{"type":"input_text","text":"Script completed\\nWall time 1.',
  ]);
});

Deno.test("Follower says the same however the file grows, and ends where the file ends", async () => {
  const rollouts = allCaptured();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...rollouts),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
      async (rollout, cuts) => {
        const whole = await follow(rollout.version, rollout.scenario);
        using home = new CodexHome();
        const path = home.path(rollout.threadId);
        using follower = new Follower({ codexHome: home.dir, threadId: rollout.threadId, from: 0 });
        using file = Deno.openSync(path, { append: true, create: true });
        const seen: Followed[] = [];
        let written = 0;
        for (const cut of [...cuts.sort(), 1]) {
          const upTo = Math.floor(cut * rollout.bytes.length);
          file.writeSync(rollout.bytes.subarray(written, upTo));
          written = Math.max(written, upTo);
          seen.push(...await drain(follower));
        }
        seen.push(...await finish(follower));
        assert.deepEqual(seen, whole);
        assert.equal(follower.offset, rollout.bytes.length);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("Follower reads nothing before the offset where the turn began", async () => {
  using home = new CodexHome();
  const rollout = captured("0.169.0", "resume-3-turns");
  const path = home.put(rollout);
  const lines = linesOf(rollout.bytes);
  const last = lines.findLastIndex((line) => line.includes('"type":"task_started"'));
  const from = new TextEncoder().encode(lines.slice(0, last).join("\n") + "\n").length;
  using follower = new Follower({ codexHome: home.dir, threadId: rollout.threadId, from });
  assert.equal(follower.path, undefined);
  const completed = (await drain(follower)).filter((event) => event.type === "task_complete");
  assert.equal(completed.length, 1);
  assert.equal(follower.path, path);
});

Deno.test("Follower takes a torn last line as absent and a whole one without newline as there", async () => {
  using home = new CodexHome();
  const { threadId, bytes } = captured("0.135.0", "shell-ok");
  const bytesIn = (text: string): number => new TextEncoder().encode(text).length;
  const text = linesOf(bytes).slice(0, 9).join("\n"); // ends with the call's output
  const path = home.path(threadId);
  for (
    const [content, results, offset] of [
      [text, 1, bytesIn(text)],
      [text.slice(0, -5), 1, bytesIn(text.slice(0, text.lastIndexOf("\n") + 1))],
    ] as const
  ) {
    Deno.writeTextFileSync(path, content);
    using follower = new Follower({ codexHome: home.dir, threadId, from: 0 });
    assert.equal(callsIn(await drain(follower)).length, 1);
    const rest = (await finish(follower)).filter((event) => event.type === "result");
    assert.equal(rest.length, results);
    assert.equal(rest[0]?.isError, content !== text);
    assert.equal(follower.offset, offset);
  }
});

Deno.test("Follower is woken when codex writes, also before the directory exists", async () => {
  using home = new CodexHome();
  const rollout = captured("0.169.0", "shell-ok");
  using follower = new Follower({ codexHome: home.dir, threadId: rollout.threadId, from: 0 });
  const { signal } = new AbortController();
  const seen: Followed[] = [];
  const until = async (type: Followed["type"]): Promise<void> => {
    while (!seen.some((event) => event.type === type)) {
      await within(follower.changed(signal), type, () => JSON.stringify(seen));
      seen.push(...await drain(follower));
    }
  };
  const half = rollout.bytes.indexOf(10, 25_000);
  home.put({ ...rollout, bytes: rollout.bytes.subarray(0, half) });
  const path = home.path(rollout.threadId);
  const append = Deno.openSync(path, { append: true });
  append.writeSync(rollout.bytes.subarray(half));
  append.close();
  await until("task_complete");
});

Deno.test("Follower.changed ends with the signal and with close, and leaks nothing", async () => {
  using home = new CodexHome();
  const rollout = captured("0.135.0", "text");
  home.put(rollout);
  const follower = new Follower({ codexHome: home.dir, threadId: rollout.threadId, from: 1 });
  const { signal } = new AbortController();
  await within(follower.changed(signal), "what is there to read");
  await drain(follower);
  const closed = follower.changed(signal);
  follower.close();
  await within(closed, "the end of a closed follower");
  await follower.changed(AbortSignal.abort());
});

Deno.test("Follower names an output that is too long to be loaded", async () => {
  using home = new CodexHome();
  const { threadId, bytes } = captured("0.135.0", "shell-ok");
  const lines = linesOf(bytes);
  const path = home.path(threadId);
  Deno.writeTextFileSync(path, lines.slice(0, 8).join("\n") + "\n");
  {
    using file = Deno.openSync(path, { append: true });
    const [head, tail] = (lines[8] ?? "").split("Chunk ID");
    file.writeSync(new TextEncoder().encode(head));
    const piece = new Uint8Array(1 << 20).fill(0x61);
    for (let i = 0; i < 49; i++) file.writeSync(piece);
    file.writeSync(new TextEncoder().encode(tail + "\n" + lines.slice(9).join("\n") + "\n"));
  }
  using follower = new Follower({ codexHome: home.dir, threadId, from: 0 });
  const followed = await drain(follower);
  assert.match(
    callsIn(followed)[1] ?? "",
    /^call_sh1 = \[an output of 51\d+ bytes is recorded; it is/,
  );
  assert.equal(followed.at(-1)?.type, "task_complete");
});
