/**
 * `sessions consume`: takes calls out of the model's context.
 *
 * @module
 */
import { mutate, type MutateResult } from "../../../rollout/consume/consume.ts";
import type { ConsumeOp } from "../../../rollout/consume/plan.ts";
import { reportCalls, reportThread } from "../../../rollout/report/thread_reader.ts";
import { bytesOf, type CallReport, savingOf } from "../../../rollout/report/thread_report.ts";
import { isPaginated, openRollout } from "../../../rollout/rollout_file.ts";
import { findCalls } from "../../../rollout/state/call_index.ts";
import { staleTurns } from "../../../runner/process/turn_directory.ts";
import type { ProfilePaths } from "../../profile.ts";
import { type Arguments, profileOf, UsageError } from "../cli/arguments.ts";
import { EXIT } from "../cli/command.ts";
import { complain, count, many, oneLine, print, printJson, size } from "../cli/terminal.ts";
import { type KnownThread, KnownThreads, rolloutOf } from "./known_threads.ts";

/** `sessions consume`. */
export async function consumeCalls(args: Arguments): Promise<number> {
  const paths = profileOf(args);
  const known = new KnownThreads(paths);
  const [word, ...ids] = args.words;
  const selection = selectionOf(args, ids);
  const thread = known.find(word);
  const { agentId, workspace } = thread;
  if (known.store === undefined || agentId === undefined || workspace === undefined) {
    throw new Error(`Thread ${thread.threadId} is not one of this plugin's; nothing was changed`);
  }
  const op: ConsumeOp = args.has("heavy") ? "consume-heavy" : "consume-light";
  const calls = await callsOf(thread, known, selection, op);
  const unknown = ids.filter((id) => !calls.some((call) => call.id === id));
  const json = args.has("json");
  if (args.has("dry-run")) {
    const would = calls.map((call) => ({ id: call.id, name: call.name, ...savingOf(call, op) }));
    if (json) printJson({ op, calls: would, unknown }, 2);
    else print(dryRunText(would));
    for (const id of unknown) complain(`${oneLine(id)}: the thread has no such call`);
    return unknown.length > 0 ? EXIT.failed : EXIT.ok;
  }
  const session = { store: known.store, codexHome: known.codexHomeOf(agentId), agentId, workspace };
  const mutations = [...calls.map(({ id }) => id), ...unknown].map((blockId) => ({ blockId, op }));
  // From 0.148 on codex's own lock says whether it has the thread open.
  const busy = !isPaginated(rolloutOf(thread)) && await isBusy(paths);
  const result = await mutate(session, mutations, { busy });
  const skipped = new Set(result.skipped.map(({ blockId }) => blockId));
  const touched = result.deferred > 0 ? [] : calls.filter(({ id }) => !skipped.has(id));
  const freed = touched.reduce((sum, call) => sum + savingOf(call, op).bytes, 0);
  if (json) printJson({ op, ...result, freed }, 2);
  else print(resultText(result, freed, busy));
  const withoutOutput = new Set(calls.filter(({ outputs }) => outputs === 0).map(({ id }) => id));
  for (const { blockId, reason } of result.skipped) {
    const why = withoutOutput.has(blockId) ? NO_OUTPUT : REASONS[reason];
    complain(`${oneLine(blockId)}: ${why}`);
  }
  const undone = result.skipped.some(({ blockId, reason }) =>
    reason === "unknown_id" || withoutOutput.has(blockId)
  );
  return undone ? EXIT.failed : EXIT.ok;
}

const NO_OUTPUT = "it has no output yet, or one that is too large to be changed";

const REASONS: Readonly<Record<MutateResult["skipped"][number]["reason"], string>> = {
  unknown_id: "the thread has no such call",
  already_small: "there is nothing to take out: consumed before, or smaller than its marker",
  unknown_op: "there is no such way to consume",
};

/** Which calls are meant. */
interface Selection {
  /** Empty means every call. */
  ids: readonly string[];
  /** Only calls that hold more bytes. */
  largerThan: number | undefined;
  /** Not those of so many latest turns. */
  keepTurns: number;
}

function selectionOf(args: Arguments, ids: readonly string[]): Selection {
  const largerThan = args.number("larger-than", 0);
  if (ids.length === 0 && largerThan === undefined && !args.has("all")) {
    throw new UsageError("say which calls: CALL ids, --larger-than BYTES or --all");
  }
  if (ids.length > 0 && args.has("all")) {
    throw new UsageError("CALL ids and --all exclude each other");
  }
  return { ids: [...new Set(ids)], largerThan, keepTurns: args.number("keep-turns", 0) ?? 0 };
}

/**
 * The calls that are meant, oldest first. Those that are named are found by the index; else the session
 * is read, and what codex compacted away or what would not shrink is left out.
 */
async function callsOf(
  thread: KnownThread,
  { store }: KnownThreads,
  { ids, largerThan, keepTurns }: Selection,
  op: ConsumeOp,
): Promise<CallReport[]> {
  const path = rolloutOf(thread);
  const isMeant = (call: CallReport) => largerThan === undefined || bytesOf(call) > largerThan;
  if (ids.length > 0 && keepTurns === 0 && store !== undefined) {
    using rollout = openRollout(path, thread.threadId);
    const { lines } = await findCalls(store.threadFile(thread.threadId, "calls"), rollout, ids);
    const places = lines.toSorted((a, b) => a.offset - b.offset);
    return reportCalls(rollout.file, places).filter(({ id }) => ids.includes(id)).filter(isMeant);
  }
  const { turns } = reportThread(path, { callText: 0 });
  const calls = turns.slice(0, Math.max(0, turns.length - keepTurns)).flatMap((turn) => turn.calls)
    .filter(isMeant);
  return ids.length > 0
    ? calls.filter(({ id }) => ids.includes(id))
    : calls.filter((call) => savingOf(call, op).tokens > 0);
}

/**
 * On a thread of a codex before 0.148, which takes no lock: which thread the plugin's turns are on is not
 * known here, so while one runs, what is asked for waits.
 */
async function isBusy(paths: ProfilePaths): Promise<boolean> {
  const stale = new Set((await staleTurns(paths.running)).map(({ mark }) => mark));
  try {
    return [...Deno.readDirSync(paths.running)].some(({ name }) => !stale.has(name));
  } catch {
    return false;
  }
}

function dryRunText(
  calls: readonly { id: string; name: string; bytes: number; tokens: number }[],
): string {
  if (calls.length === 0) return "Nothing would be consumed.";
  const lines = calls.map(({ id, name, bytes }) =>
    `  ${size(bytes).padStart(7)}  ${oneLine(id)}  ${oneLine(name)}`
  );
  const bytes = calls.reduce((sum, call) => sum + call.bytes, 0);
  const tokens = calls.reduce((sum, call) => sum + call.tokens, 0);
  const what = `${many(calls.length, "call")}, ${count(bytes)} bytes, about ${
    count(tokens)
  } tokens`;
  return `${lines.join("\n")}\nWould consume ${what}. Nothing was changed.`;
}

function resultText(
  { requested, touched, deferred }: MutateResult,
  freed: number,
  busy: boolean,
): string {
  const parts = [`Consumed ${touched} of ${requested}, ${count(freed)} bytes.`];
  const until = busy
    ? "the next turn on the thread: the plugin runs a turn now, perhaps on this one"
    : "codex is done with the thread, or has unpacked it";
  if (deferred > 0) parts.push(`${deferred} wait until ${until}.`);
  return parts.join("\n");
}
