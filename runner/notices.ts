/**
 * What codex says in passing, told once.
 *
 * codex says the end of a failed turn twice, first as a notice and then as its last word; the host
 * hears it as the `error`. So a notice is held back until something else follows, unless codex is only
 * reconnecting: that is news for whoever waits. Warnings are said again by each part of codex that
 * notices the same; one is enough.
 *
 * @module
 */

/** Warnings that are remembered; a codex that has more of them repeats itself to the host. */
const MAX_REMEMBERED = 100;

/** The notices of one turn. Each method returns what is to be told now, in order. */
export class Notices {
  #held: string | undefined;
  readonly #warned = new Set<string>();
  /** The last notice that was told. */
  last: string | undefined;

  /** codex said `message`; it may be about to say it again as the reason of its failure. */
  notice(message: string): string[] {
    if (message === this.#held) return [];
    const told = this.flush();
    this.#held = message;
    return /^Reconnecting\b/.test(message) ? [...told, ...this.flush()] : told;
  }

  /** codex warned of something. */
  warning(message: string): string[] {
    const told = this.flush();
    if (this.#warned.has(message)) return told;
    if (this.#warned.size < MAX_REMEMBERED) this.#warned.add(message);
    return [...told, message];
  }

  /** The turn failed for this reason. */
  failed(reason: string): string[] {
    if (this.#held === reason) this.#held = undefined;
    return this.flush();
  }

  /** Something else happened, or nothing will any more. */
  flush(): string[] {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return [];
    this.last = held;
    return [held];
  }
}
