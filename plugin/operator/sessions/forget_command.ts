/**
 * `sessions forget|prune|release`: what the plugin remembers of threads, and what it keeps of them in
 * memory. codex's own sessions are never touched here.
 *
 * @module
 */
import { removeIfThere } from "../../../base/files.ts";
import { applyPending } from "../../../rollout/consume/consume.ts";
import { ThreadFiles } from "../../../rollout/consume/thread_files.ts";
import { homeOf, whileNoWriter, writerGone } from "../../../rollout/rollout_file.ts";
import {
  findRollout,
  forgetThread as forgetState,
  giveUp,
  whyLost,
} from "../../../rollout/state/keep.ts";
import type { StateStore } from "../../../rollout/state/state.ts";
import { type Arguments, profileOf, UsageError } from "../cli/arguments.ts";
import { EXIT } from "../cli/command.ts";
import { complain, many, oneLine, print } from "../cli/terminal.ts";
import { type KnownThread, KnownThreads } from "./known_threads.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A thread that an agent has in a workspace. */
type Remembered = KnownThread & { agentId: string; workspace: string };

/** `sessions forget`. */
export async function forgetThread(args: Arguments): Promise<number> {
  const known = new KnownThreads(profileOf(args));
  const thread = known.find(args.words[0]);
  const { store } = known;
  if (!isRemembered(thread) || store === undefined) {
    throw new Error(`Thread ${thread.threadId} is not one that the plugin remembers`);
  }
  const dryRun = args.has("dry-run");
  // A turn that runs would remember the thread again at its end.
  if (!dryRun && await letGo(thread, known) === "held") {
    throw new Error(
      `Cannot forget ${thread.threadId}: ${HELD}. Cancel its turn, or wait for its end`,
    );
  }
  await keepPromise(thread, known, store, dryRun);
  if (dryRun) print(`Would forget ${nameOf(thread)}. Nothing was changed.`);
  else {
    await forgetState(store, thread.agentId, thread.workspace);
    print(`Forgot ${nameOf(thread)}; the agent's next turn there begins a new thread.`);
  }
  return EXIT.ok;
}

/** `sessions prune`. */
export async function pruneThreads(args: Arguments): Promise<number> {
  const known = new KnownThreads(profileOf(args));
  const days = args.number("older-than", 1);
  const { store } = known;
  const dryRun = args.has("dry-run");
  let done = 0;
  let failed = 0;
  for (const thread of known.all().filter(isRemembered)) {
    if (store === undefined) break;
    try {
      const why = await whyUseless(thread, known, days);
      if (why === undefined) continue;
      if (isPromised(thread, store)) {
        print(`${nameOf(thread)}: kept, although ${why}: ${promiseOf(thread)}`);
        continue;
      }
      if (!dryRun) await forgetState(store, thread.agentId, thread.workspace);
      print(`${nameOf(thread)}: ${why}`);
      done++;
    } catch (error) {
      complain(`${nameOf(thread)}: ${error instanceof Error ? error.message : error}`);
      failed++;
    }
  }
  print(`${dryRun ? "Would forget" : "Forgot"} ${many(done, "thread")}.`);
  return failed === 0 ? EXIT.ok : EXIT.failed;
}

/** How long a codex may take to let a thread go; between two turns it takes less than a second. */
const RELEASE_MS = 10_000;

const HELD = `a codex still has it loaded after ${
  RELEASE_MS / 1000
} s: a turn runs on it, or somebody else has opened it`;

/** `sessions release`. */
export async function releaseThread(args: Arguments): Promise<number> {
  const known = new KnownThreads(profileOf(args));
  const thread = known.find(args.words[0]);
  switch (await letGo(thread, known)) {
    case "free":
      print(`No codex has thread ${thread.threadId} loaded.`);
      return EXIT.ok;
    case "released":
      print(`The plugin has let go of thread ${thread.threadId}; its next turn loads it again.`);
      return EXIT.ok;
    case "held":
      complain(`Cannot release ${thread.threadId}: ${HELD}.`);
      return EXIT.failed;
  }
}

/** Whether no codex has the thread, or the plugin has let go of it when it was asked. */
async function letGo(
  { threadId, agentId, rollout }: KnownThread,
  known: KnownThreads,
): Promise<"free" | "released" | "held"> {
  const path = "path" in rollout ? rollout.path : undefined;
  const codexHome = homeOf(path, known.codexHomeOf(agentId));
  const isFree = async () => await whileNoWriter(codexHome, threadId, () => true) !== undefined;
  if (await isFree()) return "free";
  const request = known.store?.threadFile(threadId, "release");
  if (request === undefined) return "held";
  await askFor(request, codexHome, threadId);
  return await isFree() ? "released" : "held";
}

/** Asks the plugin for the thread, and waits for a while. */
async function askFor(request: string, codexHome: string, threadId: string): Promise<void> {
  Deno.writeTextFileSync(request, "", { mode: 0o600 });
  try {
    await writerGone(codexHome, threadId, AbortSignal.timeout(RELEASE_MS));
  } finally {
    removeIfThere(request);
  }
}

/** `completion names KIND`, which the scripts of the shells ask for. */
export function knownNames(args: Arguments, kind: string): string[] {
  const threads = new KnownThreads(profileOf(args)).all();
  const agents = threads.flatMap(({ agentId }) => agentId ?? []);
  const byKind: Readonly<Record<string, readonly string[]>> = {
    agents,
    threads: [...agents, ...threads.map(({ threadId }) => threadId)],
    conversations: agents.flatMap((id) => /^hand:(.+)$/.exec(id)?.[1] ?? []),
  };
  const names = Object.hasOwn(byKind, kind) ? byKind[kind] : undefined;
  if (names === undefined) throw new UsageError(`there are no names of "${kind}"`);
  return [...new Set(names)].filter((name) => oneLine(name) === name && !name.includes(" ")).sort();
}

function isRemembered(thread: KnownThread): thread is Remembered {
  return thread.agentId !== undefined && thread.workspace !== undefined;
}

function nameOf({ threadId, agentId, workspace }: Remembered): string {
  return `${threadId} (agent ${oneLine(agentId)}, ${oneLine(workspace)})`;
}

async function whyUseless(
  thread: Remembered,
  known: KnownThreads,
  days: number | undefined,
): Promise<string | undefined> {
  const codexHome = known.codexHomeOf(thread.agentId);
  const lost = await whyLost(codexHome, thread.workspace, thread);
  if (lost !== undefined || days === undefined) return lost;
  const located = await findRollout(codexHome, thread);
  if (located?.kind !== "found" && located?.kind !== "compressed") return undefined;
  const age = Date.now() - (Deno.statSync(located.path).mtime?.getTime() ?? Date.now());
  return age > days * DAY_MS
    ? `it was not used for ${many(Math.floor(age / DAY_MS), "day")}`
    : undefined;
}

/** Whether the host was told that something will be consumed, and it is not done yet. */
function isPromised({ threadId }: Remembered, store: StateStore): boolean {
  return new ThreadFiles(store, { threadId, codexHome: "" }).hasWork;
}

/** What is still to be done to a thread. */
function promiseOf({ waiting }: Remembered): string {
  if (waiting.size === 0) return "a consume was interrupted";
  return waiting.size === 1 ? "1 consume waits" : `${waiting.size} consumes wait`;
}

/**
 * Does what was to be consumed of the thread, or gives it up where there is nothing left to consume.
 * @throws {Error} where it has to wait, with what to do about it.
 */
async function keepPromise(
  thread: Remembered,
  known: KnownThreads,
  store: StateStore,
  dryRun: boolean,
): Promise<void> {
  if (!isPromised(thread, store)) return;
  const { threadId, agentId, workspace } = thread;
  const codexHome = known.codexHomeOf(agentId);
  const located = await findRollout(codexHome, thread);
  const refuse = (why: string): never => {
    const path = store.threadFile(threadId, "pending");
    const instead = thread.waiting.size > 0
      ? ` To give up what waits instead, remove ${path}.`
      : "";
    throw new Error(`Cannot forget ${threadId}: ${promiseOf(thread)}, and ${why}.${instead}`);
  };
  switch (located?.kind) {
    case undefined:
      return refuse(
        `codex's home is not there, ${codexHome} or where the thread was last: mount it`,
      );
    case "compressed":
      return refuse("codex has compressed the session: the agent's next turn there unpacks it");
    case "refused":
      return refuse(`the session cannot be used: ${located.path}: ${located.reason}. Repair that`);
    case "missing":
      if (!dryRun) await giveUp(store, threadId);
      return;
    case "found":
      if (dryRun) return;
      await applyPending({ store, codexHome, agentId, workspace });
      if (isPromised(thread, store)) {
        refuse(`a codex has the thread open: end its turn, or try sessions release ${threadId}`);
      }
  }
}
