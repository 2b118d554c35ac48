/**
 * From the model's first byte to the first piece of text in the host, by a codex that stays: what the
 * plugin adds to reading codex oneself. Both are read by this program, which is the model as well, so
 * one clock times all of it.
 *
 *     deno run -A scripts/proof/bench/delta.ts [PAIRS]
 */
import { BarePlugin } from "../../../tests/support/bare_plugin.ts";
import { codexBinary, NEWEST_CODEX } from "../../../tests/support/codex.ts";
import { openSandbox } from "../../../tests/support/sandbox.ts";
import { figure, report } from "./figures/figure.ts";
import { quantile } from "../series.ts";

const PAIRS = Number(Deno.args[0] ?? 101);

let answered = NaN;
const fallback = () => {
  answered = performance.now();
  return { text: "ok" };
};
const binary = (await codexBinary(NEWEST_CODEX)).native;
const config = { transport: "app-server", warm: { spare: false } };
await using ours = await openSandbox({ binary, fallback, config });
await using theirs = await openSandbox({ binary, fallback });

await using host = await BarePlugin.start(ours.env);
await using client = await BarePlugin.start(theirs.env, { command: binary, args: ["app-server"] });
const notified = (method: string) => client.until((frame) => frame.method === method);
const started = { cwd: theirs.workspace, approvalPolicy: "never", sandbox: "read-only" };
const threadId = (await client.request(1, "thread/start", started)).result?.thread?.id;
const input = [{ type: "text", text: "Say ok.", text_elements: [] }];

const times = { ours: [] as number[], theirs: [] as number[] };
for (let n = 0; n <= PAIRS; n++) {
  await host.ask(n + 1, ours.workspace, "Say ok.");
  await host.event("text_delta");
  const one = performance.now() - answered;
  await host.event("message_end");
  const turn = { threadId, input, sandboxPolicy: { type: "workspaceWrite" } };
  await client.request(n + 2, "turn/start", turn);
  await notified("item/agentMessage/delta");
  const other = performance.now() - answered;
  await notified("turn/completed");
  if (n === 0) continue; // not counted
  times.ours.push(one);
  times.theirs.push(other);
}
const question =
  "from the model's first byte to the first piece of text, added to the smallest client";
const added = times.ours.map((ms, index) => ms - (times.theirs[index] ?? NaN));
const p99 = quantile(times.ours, 0.99) - quantile(times.theirs, 0.99);
report([
  figure({ question, name: "p50", values: added, goal: 1, unit: "ms" }),
  figure({ question, name: "p99", values: [p99], goal: 5, unit: "ms" }),
]);
