/**
 * The thread that a turn goes on with: recalled before the turn, remembered during and after it.
 *
 * @module
 */
import { errorMessage } from "../../base/error_message.ts";
import { locateRollout } from "../../rollout/locate.ts";
import type { Usage } from "../../rollout/records/events.ts";
import { isPaginated, lastUsageTotal } from "../../rollout/rollout_file.ts";
import { importSessionFile, type StateStore, writeSessionFile } from "../../rollout/state/state.ts";
import type { Capabilities } from "../codex/capabilities.ts";
import type { Failure } from "../turn_event.ts";
import type { TurnSettings } from "../turn_request.ts";
import { ZERO_USAGE } from "./usage.ts";

/** Whose thread it is. */
export interface ThreadOwner {
  agentId: string;
  workspace: string;
}

/** A thread as it stands before a turn. */
export interface Thread {
  threadId: string;
  rolloutPath: string | undefined;
  /** Where the rollout ends now: what the turn appends begins here. */
  from: number;
  /** Tokens of the whole thread up to `from`; `undefined` when nobody knows. */
  base: Usage | undefined;
  /** Digest of the instructions that the model has been given last. */
  systemDigest: string | undefined;
  /** A newer codex has packed its file; one before 0.148 cannot read that. */
  compressed?: true;
}

/**
 * Whether the next turn may be able to read the rollout. This one does not do without: nobody would know what an
 * older codex does to the thread, nor where the turn begins in it.
 */
function isPassing(trouble: unknown): boolean {
  return trouble !== undefined && !(trouble instanceof Deno.errors.PermissionDenied);
}

/** The id of the owner's thread; empty where there is none. */
export function knownThreadId(store: StateStore, { agentId, workspace }: ThreadOwner): string {
  try {
    return store.load(agentId, workspace)?.threadId ?? "";
  } catch {
    return ""; // what is wrong with the state is said by the turn that needs it
  }
}

/**
 * The thread of `owner`: our own record, or, unless `sessionFile` is false, the one time import of
 * the Go plugin's.
 */
export async function recallThread(
  store: StateStore,
  { agentId, workspace }: ThreadOwner,
  codexHome: string,
  sessionFile = true,
): Promise<Thread | undefined> {
  const state = store.load(agentId, workspace) ??
    (sessionFile ? await imported(store, workspace, codexHome) : undefined);
  if (state === undefined) return undefined;
  const located = await locateRollout(codexHome, state.threadId, state.rolloutPath);
  if (located.kind === "refused" && isPassing(located.cause)) throw located.cause;
  // codex itself decides whether a thread is lost; without its file only our figures are poorer.
  if (located.kind !== "found") {
    return {
      threadId: state.threadId,
      rolloutPath: undefined,
      // Should codex find it all the same: what it holds by then was told in earlier turns.
      from: Number.MAX_SAFE_INTEGER,
      base: undefined,
      systemDigest: state.systemDigest,
      ...(located.kind === "compressed" ? { compressed: true } : {}),
    };
  }
  const { size } = Deno.statSync(located.path);
  // What lies between our last turn and now was written by somebody else's.
  const since = state.endOffset <= size ? state.endOffset : 0;
  const base = (since < size ? await lastUsageTotal(located.path, since) : undefined) ??
    (since > 0 ? state.usageTotal : ZERO_USAGE);
  return {
    threadId: state.threadId,
    rolloutPath: located.path,
    from: size,
    base,
    systemDigest: state.systemDigest,
  };
}

/** Why this codex is not to resume the thread; `undefined` where it may. */
export function whyNotResume(
  thread: Pick<Thread, "threadId" | "rolloutPath" | "compressed"> | undefined,
  { version, numberedRecords }: Pick<Capabilities, "version" | "numberedRecords">,
  olderCodex: TurnSettings["olderCodex"],
): Failure | undefined {
  if (numberedRecords || thread === undefined) return undefined;
  const too = (message: string, hint: string): Failure => ({
    kind: "codex_too_old",
    message: `codex ${version} ${message}`,
    retryable: false,
    hint: `Let the plugin use the newer codex again ("binary")${hint}.`,
  });
  if (thread.compressed) {
    return too(`cannot read thread ${thread.threadId}: a newer codex has compressed it`, "");
  }
  const { rolloutPath } = thread;
  if (olderCodex === "resume" || rolloutPath === undefined || !isPaginated(rolloutPath)) {
    return undefined;
  }
  return too(
    `would destroy thread ${thread.threadId}: a codex of 0.148.0 or later wrote it, and could never ` +
      "resume it again",
    ', or set "older_codex" to "resume"',
  );
}

/** Remembers the thread; a workspace that cannot be written only loses its copy of the id. */
export async function rememberThread(
  store: StateStore,
  { agentId, workspace }: ThreadOwner,
  thread: Thread,
): Promise<void> {
  const { threadId, rolloutPath, from, base, systemDigest } = thread;
  await store.save(agentId, workspace, {
    threadId,
    rolloutPath,
    // A total that nobody knows is looked for in the whole rollout by the next turn.
    endOffset: base === undefined ? 0 : from,
    usageTotal: base ?? ZERO_USAGE,
    systemDigest,
  });
}

/** Leaves the bare thread id in the workspace, for people and for a way back to the Go plugin. */
export function leaveThreadId(workspace: string, threadId: string): string | undefined {
  try {
    writeSessionFile(workspace, threadId);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}

async function imported(store: StateStore, workspace: string, codexHome: string) {
  const found = await importSessionFile(store, workspace, codexHome);
  return found === undefined
    ? undefined
    : { ...found, endOffset: 0, usageTotal: ZERO_USAGE, systemDigest: undefined };
}
