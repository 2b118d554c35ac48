/** What shots leave lying about, and for how long that is excused. */
import type { Sandbox } from "../../../tests/support/sandbox.ts";
import { leftIn } from "./inspection.ts";
import type { Outcome } from "./outcome.ts";

const SETTLE_MS = 2000;
/** After that time nothing that a killed plugin left is taken to be in use. */
const OLD_MS = 2 * 60 * 60_000;

/** What lies about in one world. */
export class Debris {
  readonly #sandbox: Sandbox;
  /** Paths that only a later start has to clear away. */
  readonly #excused = new Set<string>();

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  /** What lies there now is young, and the next start leaves it alone: it could be somebody's. */
  excuse(): void {
    for (const path of this.#lying()) this.#excused.add(path);
  }

  /** Makes everything old, so that the next start has to clear it away. */
  age(): void {
    const old = new Date(Date.now() - OLD_MS);
    for (const path of this.#lying()) Deno.utimeSync(path, old, old);
    this.#excused.clear();
  }

  /** Writes down what lies there without excuse. */
  async inspect(outcome: Outcome): Promise<void> {
    const inexcusable = (paths: string[]) => paths.filter((path) => !this.#excused.has(path));
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const { sockets, unfinished, torn } = leftIn(this.#sandbox);
      const left = { sockets: inexcusable(sockets), torn: [...torn, ...inexcusable(unfinished)] };
      // The counters are written after the end of a turn was told.
      if (left.sockets.length + left.torn.length === 0 || performance.now() > deadline) {
        outcome.sockets.push(...left.sockets);
        outcome.torn.push(...left.torn);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #lying(): string[] {
    const { sockets, unfinished } = leftIn(this.#sandbox);
    return [...sockets, ...unfinished];
  }
}
