/**
 * `stats`: what the plugin counted, for people, programs and Prometheus.
 *
 * @module
 */
import { type Memory, memoryOf } from "../../../runner/process/process_table.ts";
import type { PluginStats } from "../../protocol.ts";
import { readStats, turnsOf } from "../../stats.ts";
import { type Arguments, profileOf, UsageError } from "../cli/arguments.ts";
import { EXIT } from "../cli/command.ts";
import { columns, count, many, print, printJson, size, timeOf } from "../cli/terminal.ts";
import { padTo, wrap } from "../cli/text.ts";

/** `stats`. */
export async function stats(args: Arguments): Promise<number> {
  if (args.has("json") && args.has("prometheus")) {
    throw new UsageError("--json and --prometheus exclude each other");
  }
  const counted = readStats(profileOf(args));
  const memory = await keptMemory(counted);
  if (args.has("json")) printJson(counted === undefined ? null : { ...counted, memory }, 2);
  else if (args.has("prometheus")) {
    print(counted === undefined ? "# no turn has ended yet" : prometheusText(counted, memory));
  } else if (counted === undefined) print("No turn has ended yet.");
  else print(forPeople(counted, memory, columns()));
  return EXIT.ok;
}

function forPeople(stats: PluginStats, memory: Memory, width: number): string {
  const { turns, tokens, tools, consumes, errors, kept } = stats;
  const kinds = Object.entries(errors).sort(([, a], [, b]) => b - a)
    .map(([kind, times]) => `${kind} ${count(times)}`);
  const rows: [string, string][] = [
    ["since", `${timeOf(stats.since)}, version ${stats.version}`],
    [
      "turns",
      `${count(turnsOf(stats))}: ${
        some([
          [turns.end_turn, "ended well"],
          [turns.max_tokens, "at the model's limit"],
          [turns.cancelled, "cancelled"],
          [turns.error, "failed"],
          [turns.refused, "refused"],
        ])
      }`,
    ],
    ["errors", kinds.join(", ")],
    [
      "tokens",
      `${count(tokens.input)} in (${count(tokens.cached_input)} cached), ${
        count(tokens.output)
      } out`,
    ],
    [
      "tools",
      `${many(tools.calls, "call")}, ${count(tools.host_calls)} of them the host's, ${
        count(tools.errors)
      } failed, ${size(tools.output_bytes)} of output`,
    ],
    [
      "consumes",
      `${many(consumes.requests, "request")}: ${
        some([
          [consumes.touched, "calls consumed"],
          [consumes.deferred, "deferred"],
          [consumes.skipped, "skipped"],
          [consumes.failed, "failed"],
        ])
      }`,
    ],
    ["warm", keptText(kept, memory)],
  ];
  return rows.filter(([, says]) => says !== "")
    .map(([name, says]) =>
      `${padTo(name, 10)}${wrap(says.replace(/: $/, ""), width - 10, " ".repeat(10))}`
    )
    .join("\n");
}

function some(parts: readonly (readonly [number, string])[]): string {
  return parts.filter(([n]) => n > 0).map(([n, what]) => `${count(n)} ${what}`).join(", ");
}

/** codex that stay between turns, in one line; empty where no turn was of such a one. */
export function keptText(kept: PluginStats["kept"], { resident, own }: Memory): string {
  const { processes = 0, warm = 0, spare = 0, cold = 0 } = kept ?? {};
  if (warm + spare + cold === 0) return "";
  const memory = resident === 0
    ? ""
    : ` (${size(resident)} in memory, ${size(own)} of it their own)`;
  const turns = some([[warm, "warm"], [spare, "on a spare"], [cold, "after a start"]]);
  return `${count(processes)} now${memory}; turns: ${turns}`;
}

/** What they hold at this moment. */
export function keptMemory(stats: PluginStats | undefined): Promise<Memory> {
  return memoryOf(stats?.kept?.pids ?? [], "codex");
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Prometheus' text format, version 0.0.4. Counters begin anew with each start of the plugin. */
function prometheusText(stats: PluginStats, memory: Memory): string {
  const { turns, tokens, tools, consumes } = stats;
  const by = (label: string, values: Readonly<Record<string, number>>): Sample[] =>
    Object.entries(values).map(([name, value]) => [{ [label]: name }, value]);
  const { running, ...ended } = turns;
  const { requests, failed, ...calls } = consumes;
  const lines = [
    ...metric("info", "gauge", "The plugin's version.", [[{ version: stats.version }, 1]]),
    ...metric("start_time_seconds", "gauge", "When the plugin was started, in Unix time.", [
      [{}, Date.parse(stats.since) / 1000],
    ]),
    ...metric("turns_running", "gauge", "Turns that were running when these were written.", [
      [{}, running],
    ]),
    ...metric("turns_total", "counter", "Turns, by how they ended.", by("outcome", ended)),
    ...metric("errors_total", "counter", "Failed turns, by kind.", by("kind", stats.errors)),
    ...metric("tokens_total", "counter", "Tokens of the model.", by("type", tokens)),
    ...metric("tool_calls_total", "counter", "Tool calls of the model.", [[{}, tools.calls]]),
    ...metric("host_tool_calls_total", "counter", "Those of the host's tools.", [
      [{}, tools.host_calls],
    ]),
    ...metric("tool_errors_total", "counter", "Tool calls that failed.", [[{}, tools.errors]]),
    ...metric("tool_output_bytes_total", "counter", "What tools answered.", [
      [{}, tools.output_bytes],
    ]),
    ...metric("text_bytes_total", "counter", "What the model said.", [[{}, stats.text_bytes]]),
    ...metric("consume_requests_total", "counter", "Requests to consume calls.", [[{}, requests]]),
    ...metric("consume_failures_total", "counter", "Those that failed.", [[{}, failed]]),
    ...metric(
      "consumed_calls_total",
      "counter",
      "Calls, by what became of them.",
      by("result", calls),
    ),
    ...keptMetrics(stats.kept, memory),
  ];
  return lines.join("\n");
}

function keptMetrics(kept: PluginStats["kept"], memory: Memory): string[] {
  if (kept === undefined) return [];
  const { processes, pids: _, running: __, ...turns } = kept;
  return [
    ...metric("kept_codex", "gauge", "codex that stay between turns.", [[{}, processes]]),
    ...metric("kept_codex_memory_bytes", "gauge", "What these hold.", [
      [{ type: "resident" }, memory.resident],
      [{ type: "own" }, memory.own],
    ]),
    ...metric(
      "kept_codex_turns_total",
      "counter",
      "Turns of these, by what they found.",
      Object.entries(turns).map(([found, n]) => [{ found }, n]),
    ),
  ];
}

function metric(name: string, type: string, help: string, samples: readonly Sample[]): string[] {
  if (samples.length === 0) return [];
  const whole = `plexum_openai_provider_${name}`;
  const escaped = (text: string) =>
    text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return [
    `# HELP ${whole} ${help}`,
    `# TYPE ${whole} ${type}`,
    ...samples.map(([labels, value]) => {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
      return `${whole}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
    }),
  ];
}
