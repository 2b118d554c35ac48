/**
 * What is going on, on the last line of a terminal.
 *
 * @module
 */
import { oneLine } from "./printable.ts";
import { columns, paintFor, writeError } from "./terminal.ts";
import { clipTo } from "./text.ts";

const TICK_MS = 200;
const FRAMES = ["·  ", "·· ", "···", " ··", "  ·", "   "];

/** The last line of a terminal says what is going on and for how long; elsewhere nothing is said. */
export class Progress implements Disposable {
  readonly #live = Deno.stderr.isTerminal() && Deno.env.get("TERM") !== "dumb";
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #doing = "";
  #since = performance.now();
  #frame = 0;
  #shown = false;

  constructor() {
    if (this.#live) this.#timer = setInterval(() => this.draw(), TICK_MS);
  }

  /** Something else is going on now. */
  now(doing: string): void {
    this.#doing = doing;
    this.#since = performance.now();
  }

  /** Draws the line anew. */
  draw(): void {
    if (!this.#live || this.#doing === "") return;
    const seconds = Math.floor((performance.now() - this.#since) / 1000);
    const frame = FRAMES[this.#frame++ % FRAMES.length] ?? "";
    const text = clipTo(`${frame} ${oneLine(this.#doing)}, ${seconds} s`, columns(Deno.stderr) - 1);
    writeError(`\r\x1b[K${paintFor(Deno.stderr)("dim", text)}`);
    this.#shown = true;
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (this.#shown) writeError("\r\x1b[K");
    this.#shown = false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.clear();
  }
}
