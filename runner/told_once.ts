/**
 * What codex says more than once is told once: its text comes in pieces, whole, and in the rollout, and
 * its notices come again as errors.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";

/** What is to be told: a piece of a block, or that a block is void. */
export type Told =
  | { index: number; text: string; phase?: string | undefined; first: boolean }
  | { retracted: number };

/** A block of which pieces were told, and that is not whole yet. */
interface OpenBlock {
  index: number;
  /** Characters that were told, and their digest. */
  told: number;
  digest: Hash;
  /** Its record was told: what is still said of it is told already. */
  closed: boolean;
}

/** So many blocks may be open; who begins more has given up the oldest. */
const OPEN_BLOCKS = 100;

/**
 * Tells each block once. What codex both says and records is counted one for one, in the same order
 * (seen on 0.135 to 0.171): whichever comes first is told, for the rollout's place among the calls is
 * the true one, and what codex died before saying is not lost. The pieces of a block joined are always
 * the block; where they would not be, it is retracted and told whole under a new index.
 */
export class ToldOnce {
  #said = 0;
  #recorded = 0;
  #next = 0;
  /** By codex's item, oldest first. */
  readonly #open = new Map<string, OpenBlock>();

  /** A piece of an item. */
  delta(item: string, text: string, phase?: string): Told[] {
    const known = this.#open.get(item);
    const block = known ?? this.#begin(item);
    if (block.closed) return [];
    block.told += text.length;
    block.digest.update(text, "utf16le");
    return [{ index: block.index, text, phase, first: known === undefined }];
  }

  /** An item that is whole. */
  said(item: string, text: string, phase?: string): Told[] {
    const block = this.#open.get(item);
    this.#open.delete(item);
    return ++this.#said > this.#recorded ? this.#complete(block, text, phase) : [];
  }

  /** The same in the rollout, which knows no item. */
  recorded(text: string, phase?: string): Told[] {
    if (++this.#recorded <= this.#said) return [];
    const block = [...this.#open.values()].find(({ closed }) => !closed);
    const told = this.#complete(block, text, phase);
    if (block !== undefined) block.closed = true;
    return told;
  }

  /** An item that will not be completed. */
  retract(item: string): Told[] {
    const block = this.#open.get(item);
    this.#open.delete(item);
    return block === undefined || block.closed ? [] : [{ retracted: block.index }];
  }

  #begin(item: string): OpenBlock {
    const closed = this.#recorded > this.#said; // then it is this one whose record was told
    const index = closed ? -1 : this.#next++;
    const block = { index, told: 0, digest: createHash("sha256"), closed };
    this.#open.set(item, block);
    const [oldest] = this.#open.keys();
    if (this.#open.size > OPEN_BLOCKS && oldest !== undefined) this.#open.delete(oldest);
    return block;
  }

  #complete(block: OpenBlock | undefined, text: string, phase: string | undefined): Told[] {
    if (block === undefined) return [{ index: this.#next++, text, phase, first: true }];
    const { index, told, digest } = block;
    const begins = createHash("sha256").update(text.slice(0, told), "utf16le").digest("hex");
    if (digest.digest("hex") !== begins) {
      return [{ retracted: index }, { index: this.#next++, text, phase, first: true }];
    }
    return told === text.length ? [] : [{ index, text: text.slice(told), phase, first: false }];
  }
}

/*
 * Notices.
 *
 * codex says the end of a failed turn twice, first as a notice and then as its last word; the host
 * hears it as the `error`. So a notice is held back until something else follows, unless codex is only
 * reconnecting: that is news for whoever waits. Warnings are said again by each part of codex that
 * notices the same; one is enough.
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
