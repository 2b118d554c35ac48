/**
 * `sessions list|show`: what threads hold in the model's context.
 *
 * @module
 */
import { inWords } from "../../../base/error_message.ts";
import { openOwnFile } from "../../../base/open_file.ts";
import { reportCalls, reportThread } from "../../../rollout/report/thread_reader.ts";
import {
  type CallReport,
  sumsOf,
  type ThreadReport,
  tokensOf,
} from "../../../rollout/report/thread_report.ts";
import type { Arguments } from "../cli/arguments.ts";
import { EXIT } from "../cli/command.ts";
import { size } from "../cli/format.ts";
import { profileOf } from "../cli/options.ts";
import { columns, paintFor, print, printJson } from "../cli/terminal.ts";
import { replaceFile } from "../../../base/durable.ts";
import { type KnownThread, KnownThreads, rolloutOf } from "./known_threads.ts";
import { listText, showText } from "./sessions_text.ts";

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
    const { threadPage } = await import("./page/thread_page.ts");
    using rollout = openOwnFile(path);
    const textsOf = (call: CallReport) => {
      const readable = call.records.filter(({ length }) => length < MAX_TEXT);
      return reportCalls(rollout.file, readable, PAGE)[0] ?? call;
    };
    const text = threadPage(reportThread(path, LINE), thread, textsOf);
    const page = new TextEncoder().encode(text);
    try {
      replaceFile(html, (file) => file.writeSync(page), 0o600);
    } catch (error) {
      throw new Error(`Cannot write --html ${html}: ${inWords(error)}`);
    }
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
