/**
 * `sessions list|show`: what threads hold in the model's context, for a terminal of any width.
 *
 * @module
 */
import { replaceFile } from "../../../base/durable.ts";
import { openOwnFile } from "../../../base/files.ts";
import { reportCalls, reportThread } from "../../../rollout/report/thread_reader.ts";
import {
  bytesOf,
  type CallReport,
  sumsOf,
  type ThreadReport,
  tokensOf,
  type TurnReport,
} from "../../../rollout/report/thread_report.ts";
import { type Arguments, profileOf } from "../cli/arguments.ts";
import { EXIT } from "../cli/command.ts";
import {
  callSubject,
  columns,
  count,
  many,
  oneLine,
  type Paint,
  paintFor,
  print,
  printJson,
  size,
  timeOf,
} from "../cli/terminal.ts";
import { clipTo, padTo, widthOf, wrap } from "../cli/text.ts";
import { type KnownThread, KnownThreads, rolloutOf } from "./known_threads.ts";

/** Of a call's arguments, where only a line of them is shown. */
const LINE = { callText: 300 };
/** The same, where they can be unfolded. */
const PAGE = { callText: 3000 };
/** Records of more bytes are not read again for a page. */
const MAX_TEXT = 64 * 1024 * 1024;

/** `sessions list`. */
export function listSessions(args: Arguments): number {
  const threads = new KnownThreads(profileOf(args)).all().map((thread) => {
    const report = "path" in thread.rollout
      ? reportThread(thread.rollout.path, { callText: 0 })
      : undefined;
    return { thread, report };
  });
  const lastUsed = ({ report }: { report: ThreadReport | undefined }) =>
    report === undefined ? "" : sumsOf(report).lastUsed;
  threads.sort((a, b) => lastUsed(b).localeCompare(lastUsed(a)));
  if (args.has("json")) {
    printJson(
      threads.map(({ thread, report }) => ({
        ...ownerOf(thread),
        ...(report === undefined ? {} : { ...fileOf(report), ...sumsOf(report) }),
      })),
      2,
    );
  } else print(listText(threads, { paint: paintFor(Deno.stdout), width: columns() }));
  return EXIT.ok;
}

/** `sessions show`. */
export async function showSession(args: Arguments): Promise<number> {
  const thread = new KnownThreads(profileOf(args)).find(args.words[0]);
  const path = rolloutOf(thread);
  const html = args.text("html");
  if (html !== undefined) {
    const { threadPage } = await import("./thread_page.ts");
    using rollout = openOwnFile(path);
    const textsOf = (call: CallReport) => {
      const readable = call.records.filter(({ length }) => length < MAX_TEXT);
      return reportCalls(rollout.file, readable, PAGE)[0] ?? call;
    };
    const text = threadPage(reportThread(path, LINE), thread, textsOf);
    const page = new TextEncoder().encode(text);
    replaceFile(html, page, 0o600);
    print(`${html}: ${size(page.length)}`);
  } else if (args.has("json")) {
    const { turns, ...report } = reportThread(path);
    const sums = sumsOf({ ...report, turns });
    const calls = (turn: typeof turns[number]) =>
      turn.calls.map((call) => ({ ...call, tokens: tokensOf(call) }));
    const shown = turns.map((turn) => ({ ...turn, calls: calls(turn) }));
    printJson({ ...ownerOf(thread), sums, ...report, turns: shown }, 2);
  } else {
    const page = { paint: paintFor(Deno.stdout), width: columns() };
    print(showText(thread, reportThread(path, LINE), page));
  }
  return EXIT.ok;
}

function fileOf({ size, unreadable, tooLarge }: ThreadReport): Record<string, unknown> {
  return { size, unreadable, tooLarge };
}

function ownerOf(thread: KnownThread): Record<string, unknown> {
  const { threadId, agentId, workspace, rollout, waiting } = thread;
  return { threadId, agentId, workspace, ...rollout, waiting: waiting.size };
}

interface Page {
  paint: Paint;
  width: number;
}

const BAR = 10;
/** Narrower than this, a call takes several lines. */
const WIDE = 60;
/** Where there is no end of a line, a subject ends here. */
const SUBJECT = 80;

function listText(
  threads: readonly { thread: KnownThread; report: ThreadReport | undefined }[],
  page: Page,
): string {
  if (threads.length === 0) return "No turn has been remembered yet.";
  return threads.map(({ thread, report }) => {
    const { workspace = "", rollout } = thread;
    const about = report === undefined
      ? page.paint(
        "red",
        oneLine(`no session file: ${"missing" in rollout ? rollout.missing : ""}`),
      )
      : wrap(facts(report, thread).join(" · "), page.width - 2, "  ");
    return `${titleOf(thread, page)}\n  ${oneLine(workspace)}\n  ${about}`;
  }).join("\n\n");
}

function showText(thread: KnownThread, report: ThreadReport, page: Page): string {
  const calls = report.turns.flatMap((turn) => turn.calls);
  const most = calls.reduce((most, call) => Math.max(most, tokensOf(call)), 1);
  const ids = calls.reduce((longest, { id }) => Math.max(longest, widthOf(oneLine(id))), 0);
  const about = [`codex ${oneLine(report.codexVersion)}`, ...facts(report, thread)].join(" · ");
  const head = [
    titleOf(thread, page),
    `  ${oneLine(report.cwd)}`,
    `  ${wrap(about, page.width - 2, "  ")}`,
  ];
  const isWaiting = ({ id }: CallReport) => thread.waiting.has(id);
  const blocks = report.turns.map((turn) => turnText(turn, { most, ids, isWaiting }, page));
  return [head.join("\n"), ...blocks].join("\n\n");
}

/** What a thread comes to, as phrases. */
function facts(report: ThreadReport, { waiting }: KnownThread): string[] {
  const sums = sumsOf(report);
  const { unreadable, tooLarge } = report;
  return [
    many(sums.turns, "turn"),
    many(sums.calls, "call"),
    `calls hold about ${count(sums.heldTokens)} tokens (${size(sums.heldBytes)})`,
    ...(sums.consumedCalls > 0
      ? [`${count(sums.consumedCalls)} consumed, ${size(sums.freedBytes)} freed`]
      : []),
    ...(waiting.size > 0 ? [`${many(waiting.size, "consume")} waiting`] : []),
    ...(sums.compactedCalls > 0 ? [`${count(sums.compactedCalls)} compacted away`] : []),
    ...(unreadable > 0 ? [`${many(unreadable, "line")} not readable`] : []),
    ...(tooLarge.lines > 0
      ? [`${many(tooLarge.lines, "record")} too large to be read (${size(tooLarge.bytes)})`]
      : []),
    `file ${size(report.size)}`,
    ...(sums.lastUsed === "" ? [] : [`last used ${timeOf(sums.lastUsed)}`]),
  ];
}

function titleOf({ threadId, agentId = "" }: KnownThread, { paint, width }: Page): string {
  const agent = oneLine(agentId);
  const fits = threadId.length + widthOf(agent) < width;
  return `${paint("bold", threadId)}${agent === "" ? "" : `${fits ? " " : "\n  "}${agent}`}`;
}

/** What the calls of a thread have in common. */
interface Scale {
  /** Tokens of the largest. */
  most: number;
  /** Columns of the longest id. */
  ids: number;
  isWaiting: (call: CallReport) => boolean;
}

function turnText(turn: TurnReport, scale: Scale, page: Page): string {
  const { paint, width } = page;
  const { number, prompt, status, compacted } = turn;
  const colour = status === "complete" ? "green" : "yellow";
  const tail = status === "complete" ? "" : ` ${paint(colour, status)}`;
  const room = width - String(number).length - 7 - (tail === "" ? 0 : status.length + 1);
  const lines = [`${paint("bold", `Turn ${number}`)}  ${clipTo(oneLine(prompt), room)}${tail}`];
  for (const call of turn.calls) lines.push(callText(call, scale, page));
  if (compacted) lines.push(paint("dim", "  codex compacted the conversation here"));
  return lines.join("\n");
}

function callText(call: CallReport, scale: Scale, { paint, width }: Page): string {
  const bar = "█".repeat(Math.max(1, Math.round(BAR * tokensOf(call) / scale.most)));
  const state = call.consumed !== "no"
    ? paint("dim", call.consumed === "heavy" ? "consumed, heavy" : "consumed")
    : call.tooLarge
    ? paint("yellow", "too large to be read")
    : !call.inContext
    ? paint("dim", "compacted away")
    : scale.isWaiting(call)
    ? paint("yellow", "consume waits")
    : paint("cyan", bar);
  const name = `${oneLine(call.name)}${call.failed ? " ✗" : ""}`;
  const id = oneLine(call.id);
  const about = `${name} ${callSubject(call.arguments)}`;
  const tokens = `${count(tokensOf(call))} tokens`;
  if (width < WIDE) {
    return `  ${id}\n    ${clipTo(about, width - 4)}\n    ${tokens} ${
      size(bytesOf(call))
    } ${state}`;
  }
  const numbers = `${tokens.padStart(14)} ${size(bytesOf(call)).padStart(7)}  ${state}`;
  const room = Math.min(SUBJECT, width - scale.ids - 41);
  return room < 20
    ? `  ${padTo(id, scale.ids)} ${numbers}\n    ${clipTo(about, width - 4)}`
    : `  ${padTo(id, scale.ids)}  ${padTo(clipTo(about, room), room)} ${numbers}`;
}
