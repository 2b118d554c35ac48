/**
 * The rollout of the thread that a turn runs on, while it runs, and whether what codex records there is
 * what it was asked for. A rollout that cannot be read costs the turn its tool events, not its life; one that
 * can be read again later costs it nothing.
 *
 * @module
 */
import { resolve } from "@std/path";
import { errorMessage } from "../../base/error_message.ts";
import { UnusableFile } from "../../base/files.ts";
import { pause } from "../../base/timer.ts";
import { type Followed, Follower, type FollowOptions } from "../../rollout/follow.ts";
import type { RunInput } from "../transport.ts";

/**
 * So often a rollout that is not there yet, or cannot be read now, is looked for at every occasion, so that
 * its first records are told in their place; a codex that prints more without one hardly writes one at all,
 * and then it is looked for every so many milliseconds only.
 */
const LOOKS = 20;
const LOOK_AGAIN_MS = 250;
/** How often the last look is tried: what codex has recorded by then is told now or never. */
const LAST_LOOKS = 4;

/** Follows one thread's rollout, once that thread is known. */
export class TurnRollout {
  #follower: Follower | undefined;
  #trouble: string | undefined;
  /** Whether somebody was told of trouble: once is enough for a turn. */
  #told = false;
  /** Whether the last read failed. */
  #failing = false;
  #closed = false;
  #looks = 0;
  #lookedAt = -Infinity;

  /** Begins to follow. */
  open(place: FollowOptions): void {
    this.#follower = new Follower(place);
  }

  /** What was appended since the last look, as what it means; the rest is left when `signal` aborts. */
  async *read(signal: AbortSignal): AsyncGenerator<Followed> {
    const follower = this.#follower;
    if (follower === undefined || !this.#worthALook(follower)) return;
    yield* this.#attempt(follower.drain(signal));
  }

  /** The last look: what is unanswered now will stay so. When `signal` aborts, only some MiB are told. */
  async *finish(signal: AbortSignal): AsyncGenerator<Followed> {
    for (let looks = 1; this.#follower !== undefined; looks++) {
      yield* this.#attempt(this.#follower.finish(signal));
      if (!this.#failing || this.#closed) return;
      if (looks === LAST_LOOKS || signal.aborted) {
        yield* this.#follower.unanswered();
        return;
      }
      await pause(LOOK_AGAIN_MS, signal);
    }
  }

  /** Resolves when another look is worth while; `false` when there is nothing (any more) to follow. */
  async changed(signal: AbortSignal): Promise<boolean> {
    // A follower that cannot read says at once that there is something to read.
    if (this.#failing) await pause(LOOK_AGAIN_MS, signal);
    await this.#follower?.changed(signal);
    this.#lookedAt = -Infinity;
    return this.#follower !== undefined && !signal.aborted;
  }

  /** Why the rollout cannot be read; told once, however often that happens. */
  takeTrouble(): string | undefined {
    if (this.#told || this.#trouble === undefined) return undefined;
    this.#told = true;
    return this.#trouble;
  }

  /** Where it lies and how far it was read, if it was found. */
  get place(): { path: string; offset: number } | undefined {
    const { path, offset = 0 } = this.#follower ?? {};
    return path === undefined ? undefined : { path, offset };
  }

  /** Follows no longer. */
  close(): void {
    this.#closed = true;
    this.#follower?.close();
    this.#follower = undefined;
  }

  /** Whether nothing will be read soon: it cannot be now, is not to be trusted, or the turn is over. */
  get isUnreadable(): boolean {
    return this.#closed || this.#failing;
  }

  /** Looking for a file that is not there takes a while; in a flood not every line is worth it. */
  #worthALook({ path }: Follower): boolean {
    if (path !== undefined && !this.#failing) return true;
    const now = performance.now();
    if (++this.#looks > LOOKS && now - this.#lookedAt < LOOK_AGAIN_MS) return false;
    this.#lookedAt = now;
    return true;
  }

  async *#attempt(records: AsyncGenerator<Followed>): AsyncGenerator<Followed> {
    try {
      yield* records;
      this.#failing = false;
    } catch (error) {
      this.#failing = true;
      this.#trouble = errorMessage(error);
      // What the system says (no descriptor left, a disk or a server that stumbles) may pass.
      if (error instanceof UnusableFile) this.close();
    }
  }
}

/*
 * What codex was asked for against what it says that counts (`turn_context` of the rollout).
 *
 * A machine's `/etc/codex/requirements.toml`, which only its administrator can write, goes before
 * every flag: it can open a sandbox that was to be shut. A host that asked for `read-only` must not
 * find that out from a changed file.
 */

/** What was asked for. */
export type Asked = Pick<RunInput, "cwd" | "workspace" | "model" | "sandbox" | "extraArgs">;
/** What codex says that counts. */
export type Granted = Extract<Followed, { type: "turn_context" }>;

/** How what counts differs from what was asked for; sentences for a person. */
export interface Difference {
  /** The agent may do more: the turn must not go on. */
  more: string | undefined;
  /** Something to know. */
  other: string[];
}

const FREEDOM = ["read-only", "workspace-write", "danger-full-access", "external-sandbox"];

/** Compares the two. What a version does not write, or an operator's `extra_args` say, is passed by. */
export function compareGranted(asked: Asked, granted: Granted): Difference {
  const args = asked.extraArgs.join(" ");
  const other: string[] = [];
  let more: string | undefined;
  const { sandbox, model, approval } = granted;
  const bySomebody = /sandbox|yolo|full-auto|permission|(?:^| )(?:-s|-p|--profile)/.test(
    args,
  );
  if (sandbox !== undefined && sandbox !== asked.sandbox && !bySomebody) {
    const text = `codex runs this turn with the sandbox ${sandbox} instead of ${asked.sandbox}`;
    const [had, has] = [FREEDOM.indexOf(asked.sandbox), FREEDOM.indexOf(sandbox)];
    if (has < 0 || has > had) more = text;
    else other.push(text);
  }
  if (approval !== undefined && approval !== "never" && !/approval|yolo/.test(args)) {
    other.push(`codex runs this turn with the approval policy ${approval} instead of never`);
  }
  const modelAsked = asked.model !== undefined && !/(?:^| )(?:-m|--model|-c ?model=)/.test(args);
  if (modelAsked && model !== undefined && model !== asked.model) {
    other.push(`codex runs this turn with the model ${model} instead of ${asked.model}`);
  }
  const { cwd } = granted;
  if (cwd !== undefined && ![asked.cwd, asked.workspace].map(plain).includes(plain(cwd))) {
    other.push(`codex runs this turn in ${cwd} instead of ${asked.cwd}`);
  }
  return { more, other };
}

function plain(path: string): string {
  return resolve("/", path);
}
