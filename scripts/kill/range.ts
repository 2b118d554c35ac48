/** A plugin with a few workspaces whose turns are shot at, one shot after the other. */
import { fakeCodex } from "../../tests/support/fake_codex.ts";
import { type Host, startHost } from "../../tests/support/host.ts";
import { noProcessUnder } from "../../tests/support/processes.ts";
import { openSandbox, type Sandbox } from "../../tests/support/sandbox.ts";
import { leftIn } from "./inspection.ts";
import { answer, scenario } from "./model.ts";
import { emptyOutcome, type Outcome, type Victim } from "./outcome.ts";
import { Place } from "./place.ts";

/** Which codex: a real one, or the fake one where there is no binary. */
export interface Kind {
  name: string;
  binary?: string;
}

const WORKSPACES = 4;
/** Of the usual time of a turn; finding the victim takes the rest. */
const SPAN = 0.85;
const SETTLE_MS = 2000;
/** After that time nothing that a killed plugin left is taken to be in use. */
const OLD_MS = 2 * 60 * 60_000;

/** One plugin, its workspaces, and a shot in the middle of each turn. */
export class Range implements AsyncDisposable {
  readonly #kind: Kind;
  readonly #sandbox: Sandbox;
  readonly #places: Place[];
  /** Paths that only a later start has to clear away. */
  readonly #excused = new Set<string>();
  #host: Host;
  /** How long a turn takes that nobody disturbs. */
  #usual = 800;

  private constructor(kind: Kind, sandbox: Sandbox, places: Place[], host: Host) {
    this.#kind = kind;
    this.#sandbox = sandbox;
    this.#places = places;
    this.#host = host;
  }

  static async open(kind: Kind): Promise<Range> {
    const real = kind.binary !== undefined;
    const sandbox = await openSandbox({ binary: "codex", fallback: { answer } });
    const fake = await fakeCodex(sandbox.root, scenario());
    await sandbox.configure({ binary: kind.binary ?? fake.path });
    const places: Place[] = [];
    for (let n = 0; n < WORKSPACES; n++) {
      places.push(new Place(await sandbox.newWorkspace(`w${n}`), sandbox.codexHome, real));
    }
    return new Range(kind, sandbox, places, await begin(sandbox));
  }

  /** Starts turns, kills somebody at some moment, runs the next turns, looks at what is left. */
  async shoot(victim: Victim, dice: () => number): Promise<Outcome> {
    const outcome = emptyOutcome(this.#kind.name, victim);
    outcome.turns = victim === "plugin" ? 1 + Math.floor(dice() * 3) : 1;
    const first = Math.floor(dice() * WORKSPACES);
    const places = [...this.#places, ...this.#places].slice(first, first + outcome.turns);
    const asked = places.map((place) => ({ place, ...place.ask(this.#host) }));
    await new Promise((resolve) => setTimeout(resolve, dice() * this.#usual * SPAN));
    outcome.hit = await this.#kill(victim);
    if (victim === "plugin") {
      await this.#host.exit;
      // What is young is left alone by the next start: it could be somebody's.
      for (const path of this.#leftovers()) this.#excused.add(path);
    }
    for (const { place, ...turn } of asked) outcome.ends.push(await place.settle(turn));
    if (victim === "plugin") this.#host = await begin(this.#sandbox);
    else outcome.orphans.push(...await this.#strangers());
    await this.#goOn(places, outcome);
    return outcome;
  }

  /** The plugin starts once more, two hours later: all that it was killed over goes. */
  async restart(): Promise<Outcome> {
    await this.#host[Symbol.asyncDispose]();
    const old = new Date(Date.now() - OLD_MS);
    for (const path of this.#leftovers()) Deno.utimeSync(path, old, old);
    this.#excused.clear();
    this.#host = await begin(this.#sandbox);
    const outcome = emptyOutcome(this.#kind.name, "nobody");
    await this.#goOn(this.#places, outcome);
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
    await noProcessUnder(this.#sandbox.root).catch(() => {});
    await this.#sandbox[Symbol.asyncDispose]();
  }

  async #goOn(places: readonly Place[], outcome: Outcome): Promise<void> {
    for (const place of places) {
      const started = performance.now();
      const { broken, lost } = await place.next(this.#host);
      if (broken !== undefined) outcome.broken.push(broken);
      else this.#usual = 0.8 * this.#usual + 0.2 * (performance.now() - started);
      if (lost !== undefined) outcome.lost.push(lost);
    }
    outcome.orphans.push(...await this.#strangers());
    await this.#inspect(outcome);
  }

  async #inspect(outcome: Outcome): Promise<void> {
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

  #leftovers(): string[] {
    const { sockets, unfinished } = leftIn(this.#sandbox);
    return [...sockets, ...unfinished];
  }

  async #kill(victim: Victim): Promise<boolean> {
    if (victim === "plugin") {
      this.#host.kill("SIGKILL");
      return true;
    }
    const processes = await this.#sandbox.processes();
    const target = processes.find(({ ppid, command }) =>
      victim === "codex" ? ppid === this.#host.pid : / mcp-host\b/.test(command)
    );
    if (target === undefined) return false;
    try {
      Deno.kill(target.pid, "SIGKILL");
      return true;
    } catch {
      return false;
    }
  }

  /** Processes of this world that are not the plugin. */
  async #strangers(): Promise<string[]> {
    const processes = await this.#sandbox.processes();
    return processes.filter(({ pid }) => pid !== this.#host.pid)
      .map(({ pid, command }) => `${pid} ${command.slice(0, 120)}`);
  }
}

async function begin({ env }: Sandbox): Promise<Host> {
  const host = await startHost({ env });
  host.onRequest("plexum/host/tool/call", () => ({ content: [{ type: "text", text: "echo" }] }));
  await host.initialize();
  return host;
}
