/**
 * The demo's page: who says what, after how many milliseconds. Colour only on a terminal and
 * without NO_COLOR, so that a pipe gets plain text.
 */
import wrapAnsi from "wrap-ansi";
import type { StreamEvent, Usage } from "../../plugin/protocol.ts";

const colour = Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR");
const paint = (code: number) => (text: string) => colour ? `\x1b[${code}m${text}\x1b[0m` : text;
const [bold, dim, red] = [paint(1), paint(2), paint(31)];
const [green, yellow, blue] = [paint(32), paint(33), paint(34)];
const [magenta, cyan] = [paint(35), paint(36)];

/** Width that text is wrapped to, without the margin. */
const WIDTH = 84;
const MARGIN = " ".repeat(21);

/** One line of plain words. */
export function note(text: string): void {
  console.log(dim(text));
}

/** The first lines: what is shown. */
export function heading(title: string, facts: [name: string, value: string][]): void {
  console.log(`\n${bold(title)}\n`);
  for (const [name, value] of facts) console.log(`  ${dim(name.padEnd(9))} ${value}`);
}

/** Begins an act. */
export function act(number: number, title: string): void {
  console.log(`\n${bold(`${number}  ${title}`)}`);
}

/** An act that this build cannot play. */
export function skipped(number: number, title: string, why: string): void {
  console.log(`\n${dim(`${number}  ${title}: not shown, ${why}`)}`);
}

/** What the person at the host says. */
export function says(text: string): void {
  row("", "you", bold, text);
}

/** Something the host itself does or learns. */
export function host(text: string): void {
  row("", "host", blue, text);
}

/** One event of a turn, `ms` milliseconds after it was asked for. */
export function event(ms: number, event: StreamEvent): void {
  const at = `${Math.round(ms)} ms`;
  switch (event.type) {
    case "message_start":
      return row(at, "thread", dim, `${event.thread_id}, ${event.resumed ? "resumed" : "new"}`);
    case "text_delta":
      return row(at, "codex", green, event.text.trim());
    case "thinking_delta":
      return row(at, "thinking", magenta, event.text.trim());
    case "tool_call_start":
      return row(at, "call", cyan, `${event.name} (${event.source}'s tool, ${event.id})`);
    case "tool_call_end":
      return row(at, "", cyan, event.arguments);
    case "tool_result":
      return row(at, event.is_error ? "error" : "result", cyan, output(event.output));
    case "status":
      return row(at, "status", yellow, event.message);
    case "error":
      return row(at, "error", red, `${event.error.kind}: ${event.error.message}`);
    case "message_end":
      return row(at, "end", dim, `${event.stop_reason}, ${tokens(event.usage)}`);
  }
}

/** The last line but for failures. */
export function farewell(text: string): void {
  console.log(`\n${green(text)}`);
}

function tokens(usage: Usage): string {
  const { input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens } = usage;
  return `tokens: ${input_tokens} in (${cached_input_tokens} cached), ` +
    `${output_tokens} out (${reasoning_output_tokens} reasoning)`;
}

/** A recorded output, without what codex writes above the tool's own words; at most five lines. */
function output(recorded: string | unknown[]): string {
  const text = typeof recorded === "string" ? recorded : recorded.map(partText).join("\n");
  const own = text.includes("\nOutput:\n") ? text.split("\nOutput:\n").slice(1).join("\n") : text;
  const lines = own.trim().split("\n").filter((line) => line.trim() !== "");
  return lines.length > 5
    ? [...lines.slice(0, 5), `… ${lines.length - 5} more lines`].join("\n")
    : lines.join("\n");
}

function partText(part: unknown): string {
  const known = typeof part === "object" && part !== null && "text" in part;
  return known ? String(part.text) : JSON.stringify(part);
}

function row(at: string, who: string, paintWho: (text: string) => string, text: string): void {
  const [first = "", ...rest] = wrapAnsi(text, WIDTH, { trim: false, hard: true }).split("\n")
    .map((line) => line.trimEnd());
  console.log(`${dim(at.padStart(9))}  ${paintWho(who.padEnd(8))}  ${first}`);
  for (const line of rest) console.log(MARGIN + line);
}
