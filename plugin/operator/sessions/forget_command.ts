/**
 * `sessions forget|prune|release`: what the plugin remembers of threads, and what it keeps of them in
 * memory. codex's own sessions are never touched here.
 *
 * @module
 */
import { exists, removeIfThere } from "../../../base/files.ts";
import { applyPending } from "../../../rollout/consume/consume.ts";
import { homeOf, whileNoWriter, writerGone } from "../../../rollout/rollout_file.ts";
import { forgetThread as forgetState } from "../../../rollout/state/keep.ts";
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
  if (!isRemembered(thread) || known.store === undefined) {
    throw new Error(`Thread ${thread.threadId} is not one that the plugin remembers`);
  }
  if (args.has("dry-run")) print(`Would forget ${nameOf(thread)}. Nothing was changed.`);
  else {
    await forget(thread, known);
    print(`Forgot ${nameOf(thread)}; the agent's next turn there begins a new thread.`);
  }
  return EXIT.ok;
}

/** `sessions prune`. */
export async function pruneThreads(args: Arguments): Promise<number> {
  const known = new KnownThreads(profileOf(args));
  const days = args.number("older-than", 1);
  const dryRun = args.has("dry-run");
  let done = 0;
  let failed = 0;
  for (const thread of known.all().filter(isRemembered)) {
    const why = whyUseless(thread, days);
    if (why === undefined) continue;
    try {
      if (!dryRun) await forget(thread, known);
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

/** `sessions release`. */
export async function releaseThread(args: Arguments): Promise<number> {
  const known = new KnownThreads(profileOf(args));
  const { threadId, agentId, rollout } = known.find(args.words[0]);
  const path = "path" in rollout ? rollout.path : undefined;
  const codexHome = homeOf(path, known.codexHomeOf(agentId));
  if (await whileNoWriter(codexHome, threadId, () => true) !== undefined) {
    print(`No codex has thread ${threadId} loaded.`);
    return EXIT.ok;
  }
  const request = known.store?.threadFile(threadId, "release");
  if (request !== undefined && await released(request, codexHome, threadId)) {
    print(`The plugin has let go of thread ${threadId}; its next turn loads it again.`);
    return EXIT.ok;
  }
  complain(
    `A codex still has thread ${threadId} loaded after ${
      RELEASE_MS / 1000
    } s: a turn runs on it, or ` +
      `somebody else has opened it.`,
  );
  return EXIT.failed;
}

/** Asks the plugin for the thread, and waits. */
async function released(request: string, codexHome: string, threadId: string): Promise<boolean> {
  Deno.writeTextFileSync(request, "", { mode: 0o600 });
  try {
    const limit = AbortSignal.timeout(RELEASE_MS);
    await writerGone(codexHome, threadId, limit);
    return !limit.aborted;
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

function whyUseless(
  { rollout, workspace }: Remembered,
  days: number | undefined,
): string | undefined {
  if ("missing" in rollout) return `no session file: ${rollout.missing}`;
  if (!exists(workspace)) return "its workspace is gone";
  if (days === undefined) return undefined;
  const age = Date.now() - (Deno.statSync(rollout.path).mtime?.getTime() ?? Date.now());
  return age > days * DAY_MS ? `unused for ${many(Math.floor(age / DAY_MS), "day")}` : undefined;
}

/** @throws {Error} where something is still to be done to the thread. */
async function forget(thread: Remembered, known: KnownThreads): Promise<void> {
  const { store } = known;
  const { agentId, workspace, rollout } = thread;
  if (store === undefined) return;
  if ("path" in rollout) {
    const { deferred } = await applyPending({
      store,
      codexHome: known.codexHomeOf(agentId),
      agentId,
      workspace,
    });
    if (deferred > 0) {
      throw new Error(`Cannot forget it: ${many(deferred, "consume")} wait for codex to be done`);
    }
  }
  await forgetState(store, agentId, workspace);
}
