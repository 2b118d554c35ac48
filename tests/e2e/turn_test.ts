/**
 * Whole turns: reference host, compiled plugin, real codex, scripted model. What a host sees first.
 */
import { strict as assert } from "node:assert";
import { command } from "../support/model/items.ts";
import { callOutput, userTexts } from "../support/model/request.ts";
import type { ScriptedStep } from "../support/model/step.ts";
import { codexBinary, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { startHost, typesOf } from "../support/host.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { configOf, STAYING } from "./world.ts";
import type { StreamEvent } from "../../plugin/protocol.ts";

/** Params of a turn in the sandbox's workspace. */
function asks(sandbox: Sandbox, text: string): Record<string, unknown> {
  return {
    model: "codex",
    agent: { agent_id: "cx", workspace: sandbox.workspace },
    session_id: "s_1",
    request: { messages: [{ role: "user", content: [{ type: "text", text }] }] },
  };
}

const shellCall: ScriptedStep = {
  items: [
    { type: "reasoning", summary: "**Looking**" },
    { type: "message", text: "I will look.", phase: "commentary" },
    command("echo hi", "call_1"),
  ],
  usage: { input_tokens: 1000, cached_tokens: 400, output_tokens: 50, reasoning_tokens: 20 },
};

for (const version of [OLDEST_CODEX, NEWEST_CODEX, ...STAYING]) {
  Deno.test(`turn on codex ${version} runs, resumes, remembers and counts its own tokens`, async () => {
    const way = await configOf(version);
    await using sandbox = await openSandbox({
      ...way,
      steps: [
        shellCall,
        (request) => ({
          text: `The shell said ${callOutput(request, "call_1")?.match(/\bhi\b/)}.`,
          usage: { input_tokens: 1200, cached_tokens: 1000, output_tokens: 30 },
        }),
        (request) => ({
          text: `You told me: ${userTexts(request).find((text) => text.includes("secret"))}`,
          usage: { input_tokens: 2000, cached_tokens: 1500, output_tokens: 7 },
        }),
      ],
    });
    await using host = await startHost({ env: sandbox.env });
    await host.initialize();

    const first = host.stream(asks(sandbox, "the secret word is petrel"));
    const result = await first.result;
    assert.equal(result.stop_reason, "end_turn");
    assert.equal(first.text, "I will look.\n\nThe shell said hi.");
    assert.deepEqual(first.of("thinking_delta").map((event) => event.text), ["**Looking**"]);
    assert.equal(result.context?.used, 1230);
    assert.ok(result.context.window > 100_000, "as much as the model takes");
    assert.deepEqual(result.usage, {
      input_tokens: 2200,
      cached_input_tokens: 1400,
      output_tokens: 80,
      reasoning_output_tokens: 20,
    });
    assert.equal(first.of("message_start")[0]?.resumed, false);

    const second = host.stream(asks(sandbox, "what did I tell you?"));
    const again = await second.result;
    assert.equal(again.thread_id, result.thread_id);
    assert.equal(second.of("message_start")[0]?.resumed, true);
    assert.equal(second.text, "You told me: the secret word is petrel");
    assert.deepEqual(again.usage, {
      input_tokens: 2000,
      cached_input_tokens: 1500,
      output_tokens: 7,
      reasoning_output_tokens: 0,
    });
    assert.equal(sandbox.model.pending, 0);
  });

  Deno.test(`turn on codex ${version} tells of the tool call with codex's own call id`, async () => {
    const way = await configOf(version);
    await using sandbox = await openSandbox({
      ...way,
      steps: [shellCall, { text: "done" }],
    });
    await using host = await startHost({ env: sandbox.env });
    await host.initialize();
    const turn = host.stream(asks(sandbox, "look"));
    await turn.result;
    // In the order in which the model said it, although codex tells of texts and calls on two ways.
    assert.deepEqual(typesOf(turn.seen), [
      ...["message_start", "thinking_delta", "text_delta"],
      ...["tool_call_start", "tool_call_end", "tool_result", "text_delta", "message_end"],
    ]);
    // codex's stdout has no phase; 0.135 may print a message before it has recorded it.
    const phase = turn.of("text_delta")[0]?.phase;
    if (phase !== undefined || version !== OLDEST_CODEX) assert.equal(phase, "commentary");
    assert.deepEqual(turn.of("tool_call_start")[0], {
      type: "tool_call_start",
      id: "call_1",
      name: "exec_command",
      source: "codex",
    });
    assert.equal(turn.of("tool_call_end")[0]?.arguments, '{"cmd":"echo hi"}');
    assert.match(String(turn.of("tool_result")[0]?.output), /\bhi\b/);
    assert.equal(turn.of("tool_result")[0]?.is_error, false);
  });

  Deno.test(`turn on codex ${version} that the model fails ends with one error event`, async () => {
    const way = await configOf(version);
    const error = { code: "model_not_found", message: "model not found" };
    await using sandbox = await openSandbox({ ...way, steps: [{ status: 404, error }] });
    await using host = await startHost({ env: sandbox.env });
    await host.initialize();
    const turn = host.stream(asks(sandbox, "hello"));
    assert.equal((await turn.result).stop_reason, "error");
    assert.deepEqual(turn.of("error").map((event) => event.error.kind), ["model_unavailable"]);
  });

  Deno.test(`stdin EOF during a turn on codex ${version} leaves no process`, async () => {
    const way = await configOf(version);
    const sleeps: ScriptedStep = { items: [command("sleep 1000")] };
    await using sandbox = await openSandbox({ ...way, steps: [sleeps] });
    await using host = await startHost({ env: sandbox.env });
    await host.initialize();
    const turn = host.stream(asks(sandbox, "sleep"));
    await turn.until("tool_call_end");
    const living = await sandbox.processes();
    assert.ok(living.some(({ pid }) => pid === host.pid) && living.length >= 2);
    await host.closeStdin();
    assert.deepEqual(await host.exit, { code: 0, signal: null });
    assert.deepEqual(await sandbox.processes(), []);
  });

  Deno.test(`cancelled turn on codex ${version} ends as cancelled, without a response, and resumes`, async () => {
    const way = await configOf(version);
    await using sandbox = await openSandbox({ ...way, steps: [{ hang: true }] });
    await using host = await startHost({ env: sandbox.env });
    await host.initialize();
    const turn = host.stream(asks(sandbox, "think for ever"));
    await sandbox.model.received(1);
    await turn.until("message_start");
    await turn.cancel();
    const end = await turn.end();
    assert.equal(end.stop_reason, "cancelled");
    sandbox.model.pushStep({ text: "still here" });
    const next = host.stream(asks(sandbox, "and now?"));
    assert.equal((await next.result).thread_id, end.thread_id);
    assert.equal(next.text, "still here");
  });
}

Deno.test("request that comes byte by byte gives the same events as in one piece", async () => {
  const { native } = await codexBinary(NEWEST_CODEX);
  const steps = [shellCall, { text: "dóne 😀\u2028still the same line" }];
  const seen: StreamEvent[][] = [];
  for (const piece of [1, Number.MAX_SAFE_INTEGER]) {
    await using sandbox = await openSandbox({ binary: native, steps });
    await using host = await startHost({ env: sandbox.env });
    await host.initialize();
    const params = asks(sandbox, "ünder wäter \u2028 😀");
    const frame = { jsonrpc: "2.0", id: 7, method: "plexum/provider/stream", params };
    const bytes = new TextEncoder().encode(JSON.stringify(frame) + "\n");
    const turn = host.expectTurn(7);
    for (let at = 0; at < bytes.length; at += piece) {
      await host.sendRaw(bytes.subarray(at, at + piece));
    }
    await turn.result;
    assert.match(JSON.stringify(sandbox.model.asked[0]), /ünder wäter \u2028 😀/);
    seen.push(turn.seen.map(withoutThread));
  }
  assert.deepEqual(seen[0], seen[1]);
});

/** The event without what differs between two runs: thread id, and codex's own notes on timing. */
function withoutThread(event: StreamEvent): StreamEvent {
  const text = JSON.stringify(event)
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "THREAD")
    .replace(/Chunk ID: \w+|Wall time: [\d.]+ seconds/g, "");
  const same: StreamEvent = JSON.parse(text);
  return same;
}

Deno.test("broken frames are answered with -32700, and the connection lives on", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const { code } = await host.sendBroken(new TextEncoder().encode("{not json}\n"));
  assert.equal(code, -32700);
  assert.deepEqual(await host.request("ping"), {});
  assert.deepEqual(await host.request("tools/list"), { tools: [] });
});

Deno.test("turn that cannot start is refused with the seed's words and no events", async () => {
  await using sandbox = await openSandbox({ binary: "/nowhere/codex" });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const { agent: _agent, ...homeless } = asks(sandbox, "hi");
  const request = { messages: [{ role: "assistant", content: "hm" }] };
  for (
    const [params, kind, message] of [
      [homeless, "workspace_required", /^codex: agent workspace required \(host must supply/],
      [{ ...asks(sandbox, "hi"), request }, "invalid_request", /^codex: no user text in request/],
      [asks(sandbox, "hi"), "codex_missing", /\/nowhere\/codex/],
    ] as const
  ) {
    const turn = host.stream(params);
    await assert.rejects(
      turn.result,
      (error: Error & { code?: number; data?: { kind?: string } }) => {
        assert.match(error.message, message);
        assert.deepEqual([error.code, error.data?.kind], [-32000, kind]);
        return true;
      },
    );
    assert.deepEqual(turn.seen, []);
  }
});

Deno.test("initialize answers with the manifest of the configured models", async () => {
  await using sandbox = await openSandbox({
    binary: "codex",
    config: { supported_models: ["codex", "codex-fast"] },
  });
  await using host = await startHost({ env: sandbox.env });
  const { capabilities, serverInfo } = await host.initialize();
  const { manifest, features } = capabilities.experimental.plexum;
  assert.deepEqual(manifest, {
    name: "plexum-openai-provider",
    version: serverInfo.version,
    activation: "lazy",
    executable: "plexum-openai-provider-plugin",
    contracts: { provider: { models: ["codex", "codex-fast"] } },
  });
  assert.ok(features.includes("stream"));
});
