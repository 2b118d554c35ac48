/**
 * The arguments that a command is run with.
 *
 * @module
 */

/** The command line is not understood; the message says why and what to type instead. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Parsed arguments. */
export class Arguments {
  readonly #values: ReadonlyMap<string, string | true>;
  /** What stands beside the options, in order. */
  readonly words: readonly string[];

  constructor(values: ReadonlyMap<string, string | true>, words: readonly string[]) {
    this.#values = values;
    this.words = words;
  }

  /** The value of an option; `undefined` when it is not there. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === "string" ? value : undefined;
  }

  /** Whether a switch is there. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** A whole number of at least `min`. */
  number(name: string, min: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (/^\d+$/.test(text) && Number(text) >= min) return Number(text);
    throw new UsageError(`--${name} needs a whole number of at least ${min}, found "${text}"`);
  }
}
