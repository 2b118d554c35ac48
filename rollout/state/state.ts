/**
 * What is remembered between turns: one file per (agent, workspace) in the plugin's own directory.
 *
 * The workspace is the agent's to write, so nothing there is believed. This directory is ours alone
 * (0700), and each file is replaced as a whole, so a crash leaves the old state or the new. A file that
 * cannot be read is set aside under a name that says so, reported, and taken for none.
 *
 * Beside them lie the files that belong to a thread and not to an agent: `<thread id>.calls` (index of
 * calls), `.pending` (deferred consumes) and `.journal` (a consume under way).
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import {
  type Disk,
  realDisk,
  removeDurably,
  replaceText,
  writeDurably,
} from "../../base/durable.ts";
import { isThere, ownUid, readForeignFile, readOwnFile, UnusableFile } from "../../base/files.ts";
import { isObject } from "../../base/json_object.ts";
import { lockWithin } from "../../base/lock.ts";
import { isThreadId, locateRollout } from "../locate.ts";
import type { Usage } from "../records/events.ts";
import { metaAt } from "../rollout_file.ts";

/** The thread that an agent has in a workspace. Fields of later versions are kept. */
export interface ThreadState {
  threadId: string;
  rolloutPath?: string | undefined;
  /** Where the last turn ended in the rollout, in bytes. */
  endOffset: number;
  /** The thread's total at that point. */
  usageTotal: Usage;
  systemDigest?: string | undefined;
  [extra: string]: unknown;
}

/** A remembered thread with its owner. */
export interface StoredThread {
  agentId: string;
  workspace: string;
  state: ThreadState;
}

/** Where to report what was set aside. */
export interface StateStoreOptions {
  onWarning?: (message: string) => void;
  disk?: Disk;
}

/** How long to wait for another plugin process; each consume holds the lock for milliseconds. */
const LOCK_MS = 10_000;

const encoder = new TextEncoder();

/** The plugin's memory of threads, on disk. */
export class StateStore {
  readonly dir: string;
  readonly disk: Disk;
  /** Reports what went wrong and was got over. */
  readonly warn: (message: string) => void;
  /** What is being written, by its path: it counts already. */
  readonly #saving = new Map<string, { stored: StoredThread; done: Promise<void> }>();
  #queue: Promise<unknown> = Promise.resolve();

  /** Creates `dir` (0700) where it is missing. Throws where it is not a directory of ours alone. */
  constructor(dir: string, options: StateStoreOptions = {}) {
    this.dir = dir;
    this.disk = options.disk ?? realDisk;
    this.warn = options.onWarning ?? (() => {});
    Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
    const info = Deno.lstatSync(dir);
    const refuse = (why: string): never => {
      throw new Error(`Cannot keep state in ${dir}: ${why}`);
    };
    if (!info.isDirectory) {
      refuse("it is not a directory (or only a link to one). Remove it or choose another profile.");
    }
    if (info.uid !== ownUid()) {
      refuse(
        `it belongs to user ${info.uid}, not to user ${ownUid()}. ` +
          `Run this as the user who runs Plexum.`,
      );
    }
    if (((info.mode ?? 0) & 0o077) !== 0) Deno.chmodSync(dir, 0o700);
  }

  /** The remembered thread, or `undefined` where there is none to believe. */
  load(agentId: string, workspace: string): ThreadState | undefined {
    const path = this.#path(agentId, workspace);
    const stored = this.#saving.get(path)?.stored ?? this.read(path);
    if (stored === undefined) return undefined;
    if (stored.agentId === agentId && stored.workspace === workspace) return stored.state;
    return this.#setAside(path, "it belongs to another agent or workspace");
  }

  /** Remembers `state`: at once for `load`, durably when this resolves. */
  save(agentId: string, workspace: string, state: ThreadState): Promise<void> {
    const path = this.#path(agentId, workspace);
    const stored: StoredThread = { agentId, workspace, state };
    const content = encoder.encode(JSON.stringify({ version: 1, ...stored }) + "\n");
    const before = this.#saving.get(path)?.done.catch(() => {});
    const writing = before === undefined
      ? writeDurably(path, content, this.disk)
      : before.then(() => writeDurably(path, content, this.disk));
    const done = writing.finally(() => {
      if (this.#saving.get(path)?.done === done) this.#saving.delete(path);
    });
    this.#saving.set(path, { stored, done });
    return done;
  }

  /** Resolves when nothing is being saved. */
  async saved(): Promise<void> {
    await Promise.allSettled([...this.#saving.values()].map(({ done }) => done));
  }

  /** Forgets the thread; what belongs to the thread itself stays. */
  async forget(agentId: string, workspace: string): Promise<void> {
    await this.saved();
    await removeDurably(this.#path(agentId, workspace), this.disk);
  }

  /**
   * Runs `work` while nobody else changes a thread's own files or its rollout: neither another plugin
   * process nor another request here. Only one of ours waits for the lock at a time, as each such wait
   * keeps one of the runtime's threads busy.
   */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(() => this.#locked(work));
    this.#queue = done.catch(() => {});
    return done;
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    const path = join(this.dir, ".lock");
    using lock = await lockWithin(path, LOCK_MS);
    if (lock === undefined) {
      throw new Error(`Cannot consume: another process held ${path} for ${LOCK_MS} ms`);
    }
    return await work();
  }

  /** Every remembered thread, in no particular order. */
  list(): StoredThread[] {
    const names = [...Deno.readDirSync(this.dir)].map((entry) => entry.name);
    return names.filter((name) => name.startsWith("thread-") && name.endsWith(".json"))
      .flatMap((name) => this.read(join(this.dir, name)) ?? []);
  }

  /** Whether it is the thread of any agent. */
  knows(threadId: string): boolean {
    const isIt = ({ state }: StoredThread) => state.threadId === threadId;
    return [...this.#saving.values()].some(({ stored }) => isIt(stored)) || this.list().some(isIt);
  }

  /** The path of one of a thread's own files. */
  threadFile(threadId: string, kind: "calls" | "pending" | "journal" | "release"): string {
    return join(this.dir, `${threadId}.${kind}`);
  }

  #path(agentId: string, workspace: string): string {
    const name = createHash("sha256").update(`${agentId}\0${workspace}`).digest("hex").slice(0, 32);
    return join(this.dir, `thread-${name}.json`);
  }

  /** The thread in one of the directory's files, or `undefined` where it is none to believe. */
  read(path: string): StoredThread | undefined {
    let text: string;
    try {
      text = new TextDecoder().decode(readOwnFile(path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      if (error instanceof UnusableFile) return this.#setAside(path, error.message);
      throw error;
    }
    try {
      const stored: unknown = JSON.parse(text);
      if (isStoredThread(stored)) return stored;
      return this.#setAside(path, "it is not the state of a thread");
    } catch {
      return this.#setAside(path, "it is not JSON");
    }
  }

  #setAside(path: string, why: string): undefined {
    Deno.renameSync(path, `${path}.broken`);
    this.warn(`Cannot use ${path}: ${why}. It was set aside as ${path}.broken.`);
    return undefined;
  }
}

function isStoredThread(value: unknown): value is StoredThread {
  if (!isObject(value) || !isObject(value.state)) return false;
  const { threadId, endOffset, usageTotal } = value.state;
  return typeof value.agentId === "string" && typeof value.workspace === "string" &&
    typeof threadId === "string" && isThreadId(threadId) && Number.isSafeInteger(endOffset) &&
    isObject(usageTotal);
}

/*
 * `<workspace>/.plexum-codex-session`: the thread id where the Go plugin kept it.
 *
 * It is still written, for people and for a way back. It is read once, as an import, when we have no
 * state of our own. The workspace belongs to the agent, so what stands there is only believed when it is
 * a UUID of a thread whose `session_meta` says that it was started in this very workspace; and writing
 * replaces a symbolic link there instead of following it.
 */

/** The file's name. */
export const SESSION_FILE = ".plexum-codex-session";

/** Nobody's thread id is longer. */
const MAX_BYTES = 256;

/** A thread that may be taken over from the session file. */
export interface ImportedThread {
  threadId: string;
  rolloutPath: string;
}

/** Writes the bare thread id. Throws where the workspace cannot be written. */
export function writeSessionFile(workspace: string, threadId: string): void {
  replaceText(join(workspace, SESSION_FILE), threadId);
}

/** The thread of an earlier plugin in this workspace, if it can be believed and no agent here has it. */
export async function importSessionFile(
  store: Pick<StateStore, "knows">,
  workspace: string,
  codexHome: string,
): Promise<ImportedThread | undefined> {
  const threadId = await readSessionFile(join(workspace, SESSION_FILE));
  if (threadId === undefined || !isThreadId(threadId) || store.knows(threadId)) return undefined;
  const located = await locateRollout(codexHome, threadId);
  if (located.kind === "refused" && located.cause !== undefined) throw located.cause;
  if (located.kind !== "found") return undefined;
  const started = metaAt(located.path)?.cwd;
  if (started === undefined || realPath(started) !== realPath(workspace)) return undefined;
  return { threadId, rolloutPath: located.path };
}

async function readSessionFile(path: string): Promise<string | undefined> {
  if (!isThere(path)) return undefined;
  try {
    const bytes = await readForeignFile(path, { maxBytes: MAX_BYTES });
    return new TextDecoder().decode(bytes).trim();
  } catch (error) {
    if (error instanceof UnusableFile) return undefined; // there is none to believe
    throw error;
  }
}

/** Removes the session file where it names this thread, so that the thread is not taken over again. */
export async function removeSessionFile(workspace: string, threadId: string): Promise<void> {
  const path = join(workspace, SESSION_FILE);
  if (await readSessionFile(path) === threadId) Deno.removeSync(path);
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path;
  }
}
