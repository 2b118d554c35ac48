/** A plugin with a few workspaces whose turns are shot at, one shot after the other. */
import { fakeCodex } from "../../tests/support/fake_codex.ts";
import { type Host, startHost } from "../../tests/support/host.ts";
import { noProcessUnder } from "../../tests/support/processes.ts";
import { openSandbox, type Sandbox } from "../../tests/support/sandbox.ts";
import type { Turn } from "../../tests/support/turn.ts";
import { leftIn, recorded } from "./inspection.ts";
import { answer, scenario, TOOLS, turnsIn } from "./model.ts";
import { emptyOutcome, type Outcome, type Victim } from "./outcome.ts";

/** Which codex: a real one, or the fake one where there is no binary. */
export interface Kind {
  name: string;
  binary?: string;
}

/** A workspace and what must not be forgotten in it. */
interface Place {
  workspace: string;
  thread: string | undefined;
  /** Turns that ended well. */
  done: number[];
}

const WORKSPACES = 4;
/** Of the usual time of a turn; finding the victim takes the rest. */
const SPAN = 0.85;
const SETTLE_MS = 2000;
/** After that time nothing that a killed plugin left is taken to be in use. */
const OLD_MS = 2 * 60 * 60_000;
let turnNumber = 0;

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
    const sandbox = await openSandbox({
      binary: kind.binary ?? "codex",
      fallback: { answer },
    });
    const fake = await fakeCodex(sandbox.root, scenario());
    await sandbox.configure({ binary: kind.binary ?? fake.path });
    const places: Place[] = [];
    for (let n = 0; n < WORKSPACES; n++) {
      places.push({ workspace: await sandbox.newWorkspace(`w${n}`), thread: undefined, done: [] });
    }
    return new Range(kind, sandbox, places, await begin(sandbox));
  }

  /** Starts turns, kills somebody at some moment, runs the next turns, looks at what is left. */
  async shoot(victim: Victim, dice: () => number): Promise<Outcome> {
    const count = victim === "plugin" ? 1 + Math.floor(dice() * 3) : 1;
    const first = Math.floor(dice() * WORKSPACES);
    const places = Array.from({ length: count }, (_, n) => this.#at(first + n));
    const outcome = emptyOutcome(this.#kind.name, victim);
    outcome.turns = count;
    const asked = places.map((place) => ({ place, ...this.#ask(place) }));
    await new Promise((resolve) => setTimeout(resolve, dice() * this.#usual * SPAN));
    outcome.hit = await this.#kill(victim);
    if (victim === "plugin") {
      await this.#host.exit;
      // What is young is left alone by the next start: it could be somebody's.
      for (const name of this.#leftovers()) this.#excused.add(name);
    }
    for (const { turn, place, number } of asked) {
      outcome.ends.push(await this.#settle(turn, place, number));
    }
    if (victim === "plugin") this.#host = await begin(this.#sandbox);
    else outcome.orphans.push(...await this.#strangers());
    for (const place of places) await this.#next(place, outcome);
    outcome.orphans.push(...await this.#strangers());
    await this.#inspect(outcome);
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
    for (const place of this.#places) await this.#next(place, outcome);
    outcome.orphans.push(...await this.#strangers());
    await this.#inspect(outcome);
    return outcome;
  }

  async #inspect(outcome: Outcome): Promise<void> {
    const inexcusable = (paths: string[]) => paths.filter((path) => !this.#excused.has(path));
    for (const deadline = performance.now() + SETTLE_MS;;) {
      const { sockets, unfinished, torn } = leftIn(this.#sandbox);
      const left = { sockets: inexcusable(sockets), torn: [...torn, ...inexcusable(unfinished)] };
      // The counters are written after the end of a turn was told.
      if (left.sockets.length + left.torn.length > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        continue;
      }
      outcome.sockets.push(...left.sockets);
      outcome.torn.push(...left.torn);
      return;
    }
  }

  #leftovers(): string[] {
    const { sockets, unfinished } = leftIn(this.#sandbox);
    return [...sockets, ...unfinished];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
    await noProcessUnder(this.#sandbox.root).catch(() => {});
    await this.#sandbox[Symbol.asyncDispose]();
  }

  #at(index: number): Place {
    const place = this.#places[index % WORKSPACES];
    if (place === undefined) throw new RangeError(`no workspace ${index}`);
    return place;
  }

  #ask({ workspace }: Place): { turn: Turn; number: number } {
    const number = ++turnNumber;
    const turn = this.#host.stream({
      agent: { agent_id: "cx", workspace },
      request: {
        messages: [{ role: "user", content: `turn ${number}` }],
        // A codex that does not connect to the host's tools is not let run; the fake one does not.
        tools: this.#kind.binary === undefined ? [] : TOOLS,
      },
    });
    return { turn, number };
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

  /** Waits for the turn's end and remembers what it promised. */
  async #settle(turn: Turn, place: Place, number: number): Promise<string> {
    const ended = await turn.end().catch((error: Error) => error);
    const [start] = turn.of("message_start");
    // A thread of which nothing was recorded holds nothing that could be lost.
    const thread = start?.thread_id;
    if (thread && recorded(this.#sandbox.codexHome, thread, number)) place.thread = thread;
    if (ended instanceof Error) {
      return /the plugin ended/.test(ended.message) ? "gone" : "not started";
    }
    if (ended.stop_reason === "end_turn") place.done.push(number);
    return turn.of("error")[0]?.error.kind ?? ended.stop_reason;
  }

  /** The turn after the shot: it must end well, on the same thread, and remember. */
  async #next(place: Place, outcome: Outcome): Promise<void> {
    const started = performance.now();
    const { turn, number } = this.#ask(place);
    const end = await turn.end().catch((error: Error) => error);
    if (end instanceof Error || end.stop_reason !== "end_turn") {
      outcome.broken.push(`${end instanceof Error ? end.message : ""} ${turn.story()}`);
      return;
    }
    this.#usual = 0.8 * this.#usual + 0.2 * (performance.now() - started);
    const known = turnsIn(turn.text);
    const forgotten = this.#kind.binary === undefined
      ? []
      : place.done.filter((n) => !known.includes(n));
    if ((place.thread ?? end.thread_id) !== end.thread_id || forgotten.length > 0) {
      outcome.lost.push(`${place.workspace}: ${place.thread} ${end.thread_id} ${forgotten}`);
      place.done = [];
    }
    place.thread = end.thread_id;
    place.done.push(number);
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
