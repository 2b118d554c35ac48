/** A plugin with a few workspaces whose turns are shot at, one shot after the other. */
import { fakeCodex } from "../../../tests/support/fake_codex.ts";
import { noProcessUnder } from "../../../tests/support/processes.ts";
import { openSandbox, type Sandbox } from "../../../tests/support/sandbox.ts";
import { Debris } from "./debris.ts";
import { answer, scenario } from "./model.ts";
import { emptyOutcome, type Outcome, type Victim } from "./outcome.ts";
import { Place } from "./place.ts";
import { Prey } from "./prey.ts";

/** Which codex: a real one, or the fake one where there is no binary. */
export interface Kind {
  name: string;
  binary?: string;
  /** By `codex app-server`, which ends with the turn: what is left is looked for as ever. */
  served?: true;
}

const WORKSPACES = 4;
/** Of the usual time of a turn; finding the victim takes the rest. */
const SPAN = 0.85;

/** One plugin, its workspaces, and a shot in the middle of each turn. */
export class Range implements AsyncDisposable {
  readonly #kind: Kind;
  readonly #sandbox: Sandbox;
  readonly #places: Place[];
  readonly #prey: Prey;
  readonly #debris: Debris;
  /** How long a turn takes that nobody disturbs. */
  #usual = 800;

  private constructor(kind: Kind, sandbox: Sandbox, places: Place[], prey: Prey) {
    this.#kind = kind;
    this.#sandbox = sandbox;
    this.#places = places;
    this.#prey = prey;
    this.#debris = new Debris(sandbox);
  }

  static async open(kind: Kind): Promise<Range> {
    const real = kind.binary !== undefined;
    const sandbox = await openSandbox({ binary: "codex", fallback: { answer } });
    const fake = await fakeCodex(sandbox.root, scenario());
    const served = { transport: "app-server", warm: { idle_ms: 0, spare: false } };
    await sandbox.configure({
      binary: kind.binary ?? fake.path,
      ...(kind.served ? served : {}),
    });
    const places: Place[] = [];
    for (let n = 0; n < WORKSPACES; n++) {
      places.push(new Place(await sandbox.newWorkspace(`w${n}`), sandbox.codexHome, real));
    }
    return new Range(kind, sandbox, places, await Prey.start(sandbox));
  }

  /** Starts turns, kills somebody at some moment, runs the next turns, looks at what is left. */
  async shoot(victim: Victim, dice: () => number): Promise<Outcome> {
    const outcome = emptyOutcome(this.#kind.name, victim);
    outcome.turns = victim === "plugin" ? 1 + Math.floor(dice() * 3) : 1;
    const first = Math.floor(dice() * WORKSPACES);
    const places = [...this.#places, ...this.#places].slice(first, first + outcome.turns);
    const asked = places.map((place) => ({ place, ...place.ask(this.#prey.host) }));
    await new Promise((resolve) => setTimeout(resolve, dice() * this.#usual * SPAN));
    outcome.hit = await this.#prey.kill(victim);
    if (victim === "plugin") this.#debris.excuse();
    for (const { place, ...turn } of asked) outcome.ends.push(await place.settle(turn));
    if (victim === "plugin") await this.#prey.startAgain();
    else outcome.orphans.push(...await this.#prey.strangers());
    await this.#goOn(places, outcome);
    return outcome;
  }

  /** The plugin starts once more, two hours later: all that it was killed over goes. */
  async restart(): Promise<Outcome> {
    await this.#prey[Symbol.asyncDispose]();
    this.#debris.age();
    await this.#prey.startAgain();
    const outcome = emptyOutcome(this.#kind.name, "nobody");
    await this.#goOn(this.#places, outcome);
    return outcome;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#prey[Symbol.asyncDispose]();
    await noProcessUnder(this.#sandbox.root).catch(() => {});
    await this.#sandbox[Symbol.asyncDispose]();
  }

  /** The next turns work, and nothing is left. */
  async #goOn(places: readonly Place[], outcome: Outcome): Promise<void> {
    for (const place of places) {
      const started = performance.now();
      const { broken, lost } = await place.next(this.#prey.host);
      if (broken !== undefined) outcome.broken.push(broken);
      else this.#usual = 0.8 * this.#usual + 0.2 * (performance.now() - started);
      if (lost !== undefined) outcome.lost.push(lost);
    }
    outcome.orphans.push(...await this.#prey.strangers());
    await this.#debris.inspect(outcome);
  }
}
