/**
 * The rollout of the thread that a turn runs on, while it runs. A rollout that cannot be read costs
 * the turn its tool events, not its life.
 *
 * @module
 */
import { errorMessage } from "../../base/error_message.ts";
import { type Followed, Follower, type FollowOptions } from "../../rollout/follow.ts";

/**
 * So often a rollout that is not there yet is looked for at every occasion, so that its first records
 * are told in their place; a codex that prints more without one hardly writes one at all, and then it
 * is looked for every so many milliseconds only.
 */
const LOOKS = 20;
const LOOK_AGAIN_MS = 250;

/** Follows one thread's rollout, once that thread is known. */
export class TurnRollout {
  #follower: Follower | undefined;
  #trouble: string | undefined;
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

  /** The last look: what is unanswered now will stay so. What `signal` leaves no time for is not told. */
  async *finish(signal: AbortSignal): AsyncGenerator<Followed> {
    if (this.#follower !== undefined) yield* this.#attempt(this.#follower.finish(signal));
  }

  /** Resolves when another look is worth while; `false` when there is nothing (any more) to follow. */
  async changed(signal: AbortSignal): Promise<boolean> {
    await this.#follower?.changed(signal);
    this.#lookedAt = -Infinity;
    return this.#follower !== undefined && !signal.aborted;
  }

  /** Why the rollout cannot be read; told once. */
  takeTrouble(): string | undefined {
    const trouble = this.#trouble;
    this.#trouble = undefined;
    return trouble;
  }

  /** Where it lies and how far it was read, if it was found. */
  get place(): { path: string; offset: number } | undefined {
    const { path, offset = 0 } = this.#follower ?? {};
    return path === undefined ? undefined : { path, offset };
  }

  /** Follows no longer. */
  close(): void {
    this.#follower?.close();
    this.#follower = undefined;
  }

  /** Looking for a file that is not there takes a while; in a flood not every line is worth it. */
  #worthALook({ path }: Follower): boolean {
    if (path !== undefined) return true;
    const now = performance.now();
    if (++this.#looks > LOOKS && now - this.#lookedAt < LOOK_AGAIN_MS) return false;
    this.#lookedAt = now;
    return true;
  }

  async *#attempt(records: AsyncGenerator<Followed>): AsyncGenerator<Followed> {
    try {
      yield* records;
    } catch (error) {
      this.#trouble = errorMessage(error);
      this.close();
    }
  }
}
