/** What shots leave lying about, and for how long that is excused. */
import { join } from "@std/path";
import { pause } from "../../../base/timer.ts";
import { namesIn } from "../../../tests/support/files.ts";
import type { Sandbox } from "../../../tests/support/sandbox.ts";

const SETTLE_MS = 2000;
/** After that time nothing that a killed plugin left is taken to be in use. */
const OLD_MS = 2 * 60 * 60_000;

/** What lies about in one world. */
export class Debris {
  /** Paths that only a later start has to clear away. */
  readonly #excused = new Set<string>();

  constructor(readonly sandbox: Sandbox) {}

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

  /** What lies there without excuse, once it has settled. */
  async left(): Promise<{ sockets: string[]; torn: string[] }> {
    const inexcusable = (paths: string[]) => paths.filter((path) => !this.#excused.has(path));
    const deadline = performance.now() + SETTLE_MS;
    for (;;) {
      const { sockets, unfinished, torn } = leftIn(this.sandbox);
      const left = { sockets: inexcusable(sockets), torn: [...torn, ...inexcusable(unfinished)] };
      // The counters are written after the end of a turn was told.
      if (left.sockets.length + left.torn.length === 0 || performance.now() > deadline) return left;
      await pause(20);
    }
  }

  #lying(): string[] {
    const { sockets, unfinished } = leftIn(this.sandbox);
    return [...sockets, ...unfinished];
  }
}

/** Sockets of turns; what is under way or half written; state that is torn or was set aside. */
function leftIn({ state, runtime }: Sandbox) {
  const pathsIn = (folder: string) => namesIn(folder).map((name) => join(folder, name));
  const files = pathsIn(state);
  return {
    sockets: pathsIn(runtime),
    unfinished: [
      ...files.filter((path) => path.endsWith(".tmp")),
      ...pathsIn(join(state, "running")),
    ],
    torn: files.filter((path) =>
      /\.(?:broken|refused|journal|part)\b/.test(path) || (path.endsWith(".json") && !isJson(path))
    ),
  };
}

function isJson(path: string): boolean {
  try {
    JSON.parse(Deno.readTextFileSync(path));
    return true;
  } catch {
    return false;
  }
}
