import { strict as assert } from "node:assert";
import * as z from "zod/mini";
import { PluginStats } from "../../plugin/protocol.ts";
import { run } from "../plugin/operator/command_line.ts";
import { fakeCodex, plainTurn } from "../support/fake_codex.ts";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";

Deno.test("the host reads the counters, and doctor what the last turn came to", async () => {
  await using sandbox = await openSandbox({ binary: "codex" });
  const fake = await fakeCodex(sandbox.root, { acts: plainTurn("hello", { inputTokens: 7 }) });
  await sandbox.configure({ binary: fake.path });
  await using host = await startHost({ env: sandbox.env });
  await host.initialize();
  const ask = {
    agent: { agent_id: "cx", workspace: sandbox.workspace },
    request: { messages: [{ role: "user", content: "hi" }] },
  };
  await host.stream(ask).result;
  await sandbox.configure({ binary: "/nowhere/at/all" });
  await assert.rejects(host.stream(ask).result, /codex_missing|no executable/);

  const stats = z.parse(PluginStats, await host.request("plexum/plugin/stats", {}));
  assert.equal(stats.turns.end_turn, 1);
  assert.equal(stats.turns.refused, 1);
  assert.deepEqual(stats.errors, { codex_missing: 1 });
  assert.equal(stats.tokens.input, 7);
  const told = host.logs.map(({ data }) => data).filter((data) =>
    typeof data === "object" && data !== null && "ms_total" in data
  );
  assert.equal(told.length, 2);
  await host[Symbol.asyncDispose]();

  const counted = await run(["stats", "--json"], { env: sandbox.env });
  assert.deepEqual(JSON.parse(counted.stdout).turns, stats.turns);
  const metrics = (await run(["stats", "--prometheus"], { env: sandbox.env })).stdout;
  assert.match(metrics, /^plexum_openai_provider_turns_total\{outcome="end_turn"\} 1$/m);
  assert.match(metrics, /^plexum_openai_provider_errors_total\{kind="codex_missing"\} 1$/m);
  for (const line of metrics.trim().split("\n")) {
    assert.match(line, /^# (?:HELP|TYPE) |^[a-z_]+(?:\{[a-z]+="[^"\\]*"\})? [\d.]+$/);
  }
  const people = await run(["stats"], { env: sandbox.env });
  assert.match(people.stdout, /^turns {5}2: 1 ended well, 1 refused\nerrors {4}codex_missing 1$/m);

  const { stdout } = await run(["doctor", "--json"], { env: sandbox.env });
  const report: { checks: { id: string; status: string; summary: string }[] } = JSON.parse(stdout);
  const last = report.checks.find(({ id }) => id === "last_turn");
  assert.deepEqual([last?.status, last?.summary], ["warn", "the last turn failed: codex_missing"]);
});
