/**
 * Threads for a terminal of any width.
 *
 * @module
 */
import type { KnownThread } from "./known_threads.ts";
import { clipTo, oneLine, type Paint, printable, wrap } from "../cli/terminal.ts";
import type {
  CallReport,
  ThreadReport,
  TurnReport,
} from "../../../rollout/report/thread_report.ts";
import { bytesOf, sumsOf } from "../../../rollout/report/thread_sums.ts";
import { gist, size } from "../cli/figures.ts";

/** How to write. */
export interface Page {
  paint: Paint;
  width: number;
}

const BAR = 10;
/** Narrower than this, a call takes two lines. */
const WIDE = 60;

/** `sessions list`. */
export function listText(
  threads: readonly { thread: KnownThread; report: ThreadReport | undefined }[],
  { paint, width }: Page,
): string {
  if (threads.length === 0) return "No turn has been remembered yet.";
  return threads.map(({ thread, report }) => {
    const { threadId, agentId = "", workspace = "", rollout } = thread;
    const about = report === undefined
      ? paint("red", printable(`no session file: ${"missing" in rollout ? rollout.missing : ""}`))
      : wrap(facts(report).join(" · "), width - 2, "  ");
    const head = titleOf(threadId, agentId, { paint, width });
    return `${head}\n  ${printable(workspace)}\n  ${about}`;
  }).join("\n\n");
}

/** `sessions show`. */
export function showText(thread: KnownThread, report: ThreadReport, page: Page): string {
  const { width } = page;
  const calls = report.turns.flatMap((turn) => turn.calls);
  const most = calls.reduce((most, call) => Math.max(most, bytesOf(call)), 1);
  const blocks = report.turns.map((turn) => turnText(turn, most, page));
  const head = [
    titleOf(thread.threadId, thread.agentId, page),
    `  ${printable(report.cwd)}`,
    `  ${
      wrap(
        [`codex ${printable(report.codexVersion)}`, ...facts(report)].join(" · "),
        width - 2,
        "  ",
      )
    }`,
  ];
  return [head.join("\n"), ...blocks].join("\n\n");
}

/** What a thread comes to, as phrases. */
export function facts(report: ThreadReport): string[] {
  const sums = sumsOf(report);
  const many = (n: number, one: string) => `${n.toLocaleString("en")} ${one}${n === 1 ? "" : "s"}`;
  const { consumedCalls, compactedCalls } = sums;
  return [
    many(sums.turns, "turn"),
    many(sums.calls, "call"),
    `calls hold ${size(sums.heldBytes)} (about ${sums.heldTokens.toLocaleString("en")} tokens)`,
    ...(consumedCalls > 0 ? [`${consumedCalls} consumed`] : []),
    ...(compactedCalls > 0 ? [`${compactedCalls} compacted away`] : []),
    `file ${size(report.size)}`,
    ...(sums.lastUsed === "" ? [] : [`last used ${timeOf(sums.lastUsed)}`]),
  ];
}

function titleOf(threadId: string, agentId = "", { paint, width }: Page): string {
  const agent = oneLine(agentId);
  const fits = threadId.length + agent.length < width;
  return `${paint("bold", threadId)}${agent === "" ? "" : `${fits ? " " : "\n  "}${agent}`}`;
}

function turnText(turn: TurnReport, most: number, { paint, width }: Page): string {
  const { number, prompt, status, compacted } = turn;
  const colour = status === "complete" ? "green" : "yellow";
  const tail = status === "complete" ? "" : ` ${paint(colour, status)}`;
  const room = width - String(number).length - 7 - (tail === "" ? 0 : status.length + 1);
  const lines = [`${paint("bold", `Turn ${number}`)}  ${clipTo(oneLine(prompt), room)}${tail}`];
  for (const call of turn.calls) lines.push(callText(call, most, { paint, width }));
  if (compacted) lines.push(paint("dim", "  codex compacted the conversation here"));
  return lines.join("\n");
}

function callText(call: CallReport, most: number, { paint, width }: Page): string {
  const bytes = bytesOf(call);
  const state = call.consumed !== "no"
    ? paint("dim", call.consumed === "heavy" ? "consumed, heavy" : "consumed")
    : call.inContext
    ? paint("cyan", "█".repeat(Math.max(1, Math.round(BAR * bytes / most))))
    : paint("dim", "compacted away");
  const name = `${oneLine(call.name)}${call.failed ? " ✗" : ""}`;
  const id = oneLine(call.id);
  if (width < WIDE) {
    return `  ${id}\n    ${clipTo(`${name} ${gist(call.arguments)}`, width - 4)}\n` +
      `    ${size(bytes).padStart(7)} ${state}`;
  }
  const about = clipTo(`${name} ${gist(call.arguments)}`, width - 29 - id.length);
  const middle = about.padEnd(Math.max(0, width - 29 - id.length));
  return `  ${id}  ${middle} ${size(bytes).padStart(7)}  ${state}`;
}

/** Local time to the minute. */
export function timeOf(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return printable(iso);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}
