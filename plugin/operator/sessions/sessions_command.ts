/**
 * `sessions list|show|consume`: what threads hold in the model's context, and taking it out.
 *
 * @module
 */
import { staleTurns } from "../../../runner/process/turn_sweep.ts";
import { mutate, type MutateResult } from "../../../rollout/consume/consume.ts";
import type { ProfilePaths } from "../../profile.ts";
import { type Arguments, UsageError } from "../cli/arguments.ts";
import { EXIT } from "../cli/exit.ts";
import { type KnownThread, KnownThreads } from "./known_threads.ts";
import { profileOf } from "../cli/profile_option.ts";
import { listText, showText } from "./sessions_text.ts";
import { replaceFile } from "../setup/step.ts";
import { columns, paintFor, print, printable } from "../cli/terminal.ts";
import { reportThread } from "../../../rollout/report/thread_reader.ts";
import type { CallReport, ThreadReport } from "../../../rollout/report/thread_report.ts";
import { bytesOf, sumsOf } from "../../../rollout/report/thread_sums.ts";
import { size } from "../cli/figures.ts";

/** `sessions list`. */
export function listSessions(args: Arguments): number {
  const threads = new KnownThreads(profileOf(args)).all().map((thread) => {
    const report = "path" in thread.rollout ? reportThread(thread.rollout.path) : undefined;
    return { thread, report };
  });
  const lastUsed = ({ report }: { report: ThreadReport | undefined }) =>
    report === undefined ? "" : sumsOf(report).lastUsed;
  threads.sort((a, b) => lastUsed(b).localeCompare(lastUsed(a)));
  if (args.has("json")) {
    print(JSON.stringify(
      threads.map(({ thread, report }) => ({
        ...ownerOf(thread),
        ...(report === undefined ? {} : { size: report.size, ...sumsOf(report) }),
      })),
      null,
      2,
    ));
  } else print(listText(threads, { paint: paintFor(Deno.stdout), width: columns() }));
  return EXIT.ok;
}

/** `sessions show`. */
export async function showSession(args: Arguments): Promise<number> {
  const thread = new KnownThreads(profileOf(args)).find(args.words[0]);
  const report = reportThread(rolloutOf(thread));
  const html = args.text("html");
  if (html !== undefined) {
    const { threadPage } = await import("./thread_page.ts");
    const page = new TextEncoder().encode(threadPage(report, thread));
    replaceFile(html, (file) => file.writeSync(page), 0o600);
    print(`${html}: ${size(page.length)}`);
  } else if (args.has("json")) {
    print(JSON.stringify({ ...ownerOf(thread), sums: sumsOf(report), ...report }, null, 2));
  } else print(showText(thread, report, { paint: paintFor(Deno.stdout), width: columns() }));
  return EXIT.ok;
}

/** `sessions consume`. */
export async function consumeCalls(args: Arguments): Promise<number> {
  const paths = profileOf(args);
  const known = new KnownThreads(paths);
  const [word, ...ids] = args.words;
  const thread = known.find(word);
  const report = reportThread(rolloutOf(thread));
  const calls = selected(report, args, ids);
  const op = args.has("heavy") ? "consume-heavy" : "consume-light";
  const json = args.has("json");
  if (args.has("dry-run")) {
    const would = calls.map((call) => ({ id: call.id, name: call.name, bytes: bytesOf(call) }));
    if (json) print(JSON.stringify({ op, calls: would }, null, 2));
    else print(dryRunText(would));
    return EXIT.ok;
  }
  const { agentId, workspace } = thread;
  if (known.store === undefined || agentId === undefined || workspace === undefined) {
    throw new Error(`thread ${thread.threadId} is not one of this plugin's; nothing was changed`);
  }
  const session = { store: known.store, codexHome: known.codexHome, agentId, workspace };
  const mutations = [
    ...calls.map(({ id }) => ({ blockId: id, op })),
    ...ids.filter((id) => !calls.some((call) => call.id === id)).map((id) => ({ blockId: id, op })),
  ];
  const result = await mutate(session, mutations, { busy: await isBusy(paths) });
  if (json) print(JSON.stringify({ op, ...result }, null, 2));
  else print(resultText(result));
  return EXIT.ok;
}

/** What the options and ids select, oldest first; what is consumed already is left out. */
function selected(report: ThreadReport, args: Arguments, ids: readonly string[]): CallReport[] {
  const larger = args.number("larger-than", 0);
  const keep = args.number("keep-turns", 0) ?? 0;
  const all = args.has("all");
  if (ids.length === 0 && larger === undefined && !all) {
    throw new UsageError("say which calls: CALL ids, --larger-than BYTES or --all");
  }
  const heavy = args.has("heavy");
  const old = report.turns.slice(0, Math.max(0, report.turns.length - keep));
  return old.flatMap(({ calls }) => calls)
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .filter((call) => larger === undefined || bytesOf(call) > larger)
    .filter(({ consumed, outputs }) =>
      outputs > 0 && (consumed === "no" || (heavy && consumed === "light"))
    );
}

/**
 * Before 0.148 codex takes no lock on a thread, and which thread the plugin's turns are on is not
 * known here: while one runs, what is asked for waits.
 */
async function isBusy(paths: ProfilePaths): Promise<boolean> {
  const stale = new Set((await staleTurns(paths.running)).map(({ mark }) => mark));
  try {
    return [...Deno.readDirSync(paths.running)].some(({ name }) => !stale.has(name));
  } catch {
    return false;
  }
}

function rolloutOf({ threadId, rollout }: KnownThread): string {
  if ("path" in rollout) return rollout.path;
  throw new Error(`thread ${threadId} has no session file: ${rollout.missing}`);
}

function ownerOf({ threadId, agentId, workspace, rollout }: KnownThread): Record<string, unknown> {
  return { threadId, agentId, workspace, ...rollout };
}

function dryRunText(calls: readonly { id: string; name: string; bytes: number }[]): string {
  if (calls.length === 0) return "Nothing would be consumed.";
  const lines = calls.map(({ id, name, bytes }) =>
    printable(`  ${size(bytes).padStart(7)}  ${id}  ${name}`)
  );
  const total = calls.reduce((sum, { bytes }) => sum + bytes, 0);
  const count = calls.length === 1 ? "1 call" : `${calls.length} calls`;
  return `${lines.join("\n")}\nWould consume ${count}, ${size(total)}. Nothing was changed.`;
}

function resultText({ requested, touched, deferred, skipped }: MutateResult): string {
  const parts = [`consumed ${touched} of ${requested}`];
  if (deferred > 0) parts.push(`${deferred} wait until codex is done with the thread`);
  for (const { blockId, reason } of skipped) {
    parts.push(printable(`${blockId}: ${reason.replace("_", " ")}`));
  }
  return parts.join("\n");
}
