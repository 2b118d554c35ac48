/** A plugin with a few workspaces whose turns are shot at, one shot after the other. */
import { pause } from "../../../base/timer.ts";
import { Lab } from "../../../tests/support/lab.ts";
import { kill, noProcessUnder } from "../../../tests/support/processes.ts";
import { answer, echo, fakeActs, Place } from "./place.ts";
import { join } from "@std/path";
import { namesIn } from "../../../tests/support/files.ts";
import type { Sandbox } from "../../../tests/support/sandbox.ts";

/** Which codex: a version of the real one, or the fake one. */
export interface Kind {
  name: string;
  version?: string;
  /** By `codex app-server`, which ends with the turn: what is left is looked for as ever. */
  served?: true;
}

/** Who is killed; nobody, where the plugin only starts once more. */
export type Victim = "plugin" | "codex" | "mcp-host" | "nobody";

/** What must not be left: what each is called. */
export const TRACES = {
  orphans: "orphans",
  sockets: "stale sockets",
  torn: "torn state",
  /** Threads that did not go on although codex had recorded something, or forgot a whole turn. */
  lost: "lost",
  /** The next turn in a workspace did not end well. */
  broken: "next turn failed",
};

/** One shot and what it left. */
export interface Outcome {
  codex: string;
  victim: Victim;
  /** False where the victim was not there (yet, or any more). */
  hit: boolean;
  /** How each turn that was under way ended for the host: a stop reason, an error's kind, `gone`. */
  ends: string[];
  left: Record<keyof typeof TRACES, string[]>;
}

const WORKSPACES = 4;
/** Of the usual time of a turn; finding the victim takes the rest. */
const SPAN = 0.85;

/** One plugin, its workspaces, and a shot in the middle of each turn. */
export class Range implements AsyncDisposable {
  readonly #kind: Kind;
  readonly #lab: Lab;
  readonly #places: Place[];
  readonly #debris: Debris;
  /** How long a turn takes that nobody disturbs. */
  #usual = 800;

  private constructor(kind: Kind, lab: Lab, places: Place[]) {
    [this.#kind, this.#lab, this.#places] = [kind, lab, places];
    this.#debris = new Debris(lab.sandbox);
  }

  static async open(kind: Kind): Promise<Range> {
    const lab = await Lab.open(kind.version ?? { acts: fakeActs(3000, 200, "done") }, {
      fallback: { answer },
      onToolCall: echo,
      ...(kind.served
        ? { transport: "app-server", config: { warm: { idle_ms: 0, spare: false } } }
        : {}),
    });
    const places: Place[] = [];
    for (let n = 0; n < WORKSPACES; n++) {
      places.push(new Place(lab, await lab.sandbox.newWorkspace(`w${n}`)));
    }
    return new Range(kind, lab, places);
  }

  /** Starts turns, kills somebody at some moment, runs the next turns, looks at what is left. */
  async shoot(victim: Victim, dice: () => number): Promise<Outcome> {
    const turns = victim === "plugin" ? 1 + Math.floor(dice() * 3) : 1;
    const first = Math.floor(dice() * WORKSPACES);
    const places = [...this.#places, ...this.#places].slice(first, first + turns);
    const asked = places.map((place) => ({ place, ...place.ask() }));
    await pause(dice() * this.#usual * SPAN);
    const hit = await this.#kill(victim);
    if (victim === "plugin") this.#debris.excuse();
    const ends: string[] = [];
    for (const { place, ...turn } of asked) ends.push(await place.settle(turn));
    const orphans: string[] = [];
    if (victim === "plugin") await this.#lab.restart();
    else orphans.push(...await this.#strangers());
    const left = await this.#goOn(places);
    left.orphans.push(...orphans);
    return { codex: this.#kind.name, victim, hit, ends, left };
  }

  /** The plugin starts once more, two hours later: all that it was killed over goes. */
  async restart(): Promise<Outcome> {
    await this.#lab.host[Symbol.asyncDispose]();
    this.#debris.age();
    await this.#lab.restart();
    const left = await this.#goOn(this.#places);
    return { codex: this.#kind.name, victim: "nobody", hit: false, ends: [], left };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using lab = this.#lab;
    await lab.host[Symbol.asyncDispose]();
    await noProcessUnder(lab.sandbox.root).catch(() => {}); // those were told
  }

  /** False where there is none of that. */
  async #kill(victim: Victim): Promise<boolean> {
    const { host, sandbox } = this.#lab;
    if (victim === "plugin") {
      host.kill("SIGKILL");
      await host.exit;
      return true;
    }
    // The plugin has other children, too, which look at the process table.
    const target = (await sandbox.processes()).find(({ ppid, command }) =>
      victim === "codex"
        ? ppid === host.pid && / (?:exec --json|app-server)\b/.test(command)
        : / mcp-host\b/.test(command)
    );
    return target !== undefined && kill(target.pid);
  }

  /** Processes of this world that are not the plugin. */
  async #strangers(): Promise<string[]> {
    const { host, sandbox } = this.#lab;
    return (await sandbox.processes()).filter(({ pid }) => pid !== host.pid)
      .map(({ pid, command }) => `${pid} ${command.slice(0, 120)}`);
  }

  /** The next turns work, and nothing is left. */
  async #goOn(places: readonly Place[]): Promise<Outcome["left"]> {
    const broken: string[] = [];
    const lost: string[] = [];
    for (const place of places) {
      const started = performance.now();
      const next = await place.next();
      if (next.broken !== undefined) broken.push(next.broken);
      else this.#usual = 0.8 * this.#usual + 0.2 * (performance.now() - started);
      if (next.lost !== undefined) lost.push(next.lost);
    }
    return { orphans: await this.#strangers(), ...await this.#debris.left(), broken, lost };
  }
}

const SETTLE_MS = 2000;
/** After that time nothing that a killed plugin left is taken to be in use. */
const OLD_MS = 2 * 60 * 60_000;

/** What lies about in one world. */
class Debris {
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
