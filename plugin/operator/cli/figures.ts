/**
 * Calls, outputs and turns in few words and numbers.
 *
 * @module
 */
import type { TurnSummary } from "../../turn_meter.ts";
import { oneLine } from "./terminal.ts";

/** The numbers of a turn, for people. */
export function figures(summary: TurnSummary): string[] {
  const { stopReason, msTotal, msToFirstEvent, usage, toolCalls } = summary;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const count = (n: number) => n.toLocaleString("en");
  const cached = usage?.cachedInputTokens ? ` (${count(usage.cachedInputTokens)} cached)` : "";
  return [
    stopReason.replace("_", " "),
    seconds(msTotal),
    ...(msToFirstEvent === undefined ? [] : [`first event after ${seconds(msToFirstEvent)}`]),
    ...(usage === undefined ? [] : [
      `${count(usage.inputTokens)} tokens in${cached}`,
      `${count(usage.outputTokens)} out`,
    ]),
    ...(toolCalls === 0 ? [] : [toolCalls === 1 ? "1 tool call" : `${toolCalls} tool calls`]),
  ];
}

/** Bytes, for people. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}

/** What a call is about: the command of a shell call, else its arguments. */
export function gist(args: string): string {
  try {
    const value: unknown = JSON.parse(args);
    if (typeof value === "object" && value !== null) {
      const command = "cmd" in value ? value.cmd : "command" in value ? value.command : undefined;
      if (typeof command === "string") return oneLine(command);
      if (Array.isArray(command)) return oneLine(command.join(" "));
    }
    return oneLine(JSON.stringify(value));
  } catch {
    return oneLine(args);
  }
}

/** The last line of an output: codex puts its own words before a tool's. */
export function lastLine(text: string): string {
  return oneLine(text.trimEnd().split("\n").at(-1) ?? "");
}

/** The texts of an output's parts, with a word for what is none. */
export function textIn(output: readonly unknown[]): string {
  return output.map((part) =>
    typeof part === "object" && part !== null && "text" in part && typeof part.text === "string"
      ? part.text
      : "[image]"
  ).join("\n");
}
