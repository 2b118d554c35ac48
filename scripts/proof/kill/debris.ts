/** What shots leave lying about, and for how long that is excused. */
import type { Sandbox } from "../../../tests/support/sandbox.ts";
import type { Outcome } from "./outcome.ts";
import { join } from "@std/path";

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

/** Sockets of turns; what is under way or half written; state that is torn or was set aside. */
export function leftIn(
  { profile, runtime }: Sandbox,
): { sockets: string[]; unfinished: string[]; torn: string[] } {
  const state = join(profile, "plugins/plexum-openai-provider/state");
  const files = pathsIn(state);
  const torn = files.filter((path) =>
    /\.(?:broken|refused|journal|part)\b/.test(path) || (path.endsWith(".json") && !isJson(path))
  );
  const unfinished = files.filter((path) => path.endsWith(".tmp"));
  return {
    sockets: pathsIn(runtime),
    unfinished: [...unfinished, ...pathsIn(join(state, "running"))],
    torn,
  };
}

/** Whether codex has recorded the prompt `turn N` in the thread. */
export function recorded(codexHome: string, thread: string, turn: number): boolean {
  const sessions = join(codexHome, "sessions");
  const find = (directory: string): string | undefined => {
    for (const { name, isDirectory } of entriesOf(directory)) {
      const path = join(directory, name);
      const found = isDirectory ? find(path) : name.endsWith(`${thread}.jsonl`) ? path : undefined;
      if (found !== undefined) return found;
    }
  };
  const path = find(sessions);
  return path !== undefined && Deno.readTextFileSync(path).includes(`turn ${turn}`);
}

function isJson(path: string): boolean {
  try {
    JSON.parse(Deno.readTextFileSync(path));
    return true;
  } catch {
    return false;
  }
}

function pathsIn(directory: string): string[] {
  return entriesOf(directory).map(({ name }) => join(directory, name));
}

function entriesOf(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch {
    return [];
  }
}
