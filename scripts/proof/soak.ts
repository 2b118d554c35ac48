/**
 * `deno task soak [-- TURNS [WORKSPACES [REAL]] [--stays]]`: many turns in one plugin process, of a fake
 * codex and of a real one (in REAL of the workspaces), with host tools and consumes. Memory, descriptors
 * and latency must be flat. With `--stays` all of them are of a real codex that stays, and nothing is
 * drawn. Prints a table in Markdown, writes docs/charts/soak-*.svg, and exits with 1 when memory or
 * descriptors grow.
 */
import { join } from "@std/path";
import { lineChart } from "../chart.ts";
import { ROOT } from "../project.ts";
import { table } from "../table.ts";
import { median, type Trend, trendOf } from "./series.ts";
import { answer, echo, fakeActs, TOOLS } from "./kill/place.ts";
import { codexBinary, NEWEST_CODEX } from "../../tests/support/codex.ts";
import { Lab } from "../../tests/support/lab.ts";
import { namesIn } from "../../tests/support/files.ts";

const [TURNS = 2000, WORKSPACES = 50, REAL = 10] = Deno.args.filter((arg) => !arg.startsWith("--"))
  .map(Number);
const STAYS = Deno.args.includes("--stays");
const PARALLEL = 2;
const EVERY = TURNS / 20;
/** V8 lets the heap grow before its first full collection; only then there is anything to see. */
const WARM_UP = TURNS * 0.4;
/** Over a whole run; less is noise of the garbage collector. */
const GROWTH_MAX_MIB = 16;
const GROWTH_MAX_DESCRIPTORS = 3;

/** What one turn came to. */
interface SoakTurn {
  real: boolean;
  /** Request to `message_end`. */
  ms: number;
}

interface Place {
  path: string;
  real: boolean;
  /** Told, and not consumed yet. */
  calls: string[];
}

/**
 * One plugin process and many workspaces; in some runs a real codex with a host tool, in the others
 * a fake one. Which, the workspace's name decides, in a script that stands for codex.
 */
class SoakWorld implements AsyncDisposable {
  #turns = 0;

  private constructor(readonly lab: Lab, readonly places: Place[]) {}

  /** So many workspaces, and so many of them of a real codex, which may stay between turns. */
  static async open(workspaces: number, real: number, stays: boolean): Promise<SoakWorld> {
    const { native } = await codexBinary(NEWEST_CODEX);
    const lab = await Lab.open({ acts: fakeActs(50, 0, "a line of output\n".repeat(20)) }, {
      transport: stays ? "app-server" : "exec",
      fallback: { answer: (request) => ({ ...answer(request), chunkDelayMs: 0 }) },
      onToolCall: echo,
      async prepare({ root, fake, configure }) {
        const binary = join(root, "either-codex");
        const either = `case "$PWD" in */fake-*) exec '${fake.path}' "$@";; esac`;
        const script = `#!/bin/sh\n${either}\nexec '${native}' "$@"\n`;
        await Deno.writeTextFile(binary, script, { mode: 0o755 });
        await configure({ binary });
      },
    });
    const places: Place[] = [];
    for (let n = 0; n < workspaces; n++) {
      const name = n < real ? `real-${n}` : `fake-${n}`;
      places.push({ path: await lab.sandbox.newWorkspace(name), real: n < real, calls: [] });
    }
    return new SoakWorld(lab, places);
  }

  /** Runs the next turn, in the workspace whose turn it is; throws when it does not end well. */
  async turn(): Promise<SoakTurn> {
    const number = ++this.#turns;
    const place = this.places[number % this.places.length];
    if (place === undefined) throw new RangeError("no workspaces");
    const { path: workspace, real, calls } = place;
    const started = performance.now();
    const turn = this.lab.start(`turn ${number}`, { workspace, tools: real ? TOOLS : [] });
    const { stop_reason } = await turn.end();
    const ms = performance.now() - started;
    if (stop_reason !== "end_turn") throw new Error(turn.story());
    calls.push(...turn.of("tool_call_start").map(({ id }) => id));
    if (calls.length >= 5) {
      const all = calls.splice(0).map((block_id) => ({ block_id, op: "consume-heavy" }));
      await this.lab.mutateAll(all, workspace);
    }
    return { real, ms };
  }

  /**
   * Resident memory of the plugin in MiB, its open descriptors where the system tells, and of codex that
   * stay: how many, and what the largest of them holds.
   */
  async size() {
    const { sandbox, host: { pid } } = this.lab;
    const all = await sandbox.processes();
    const servers = all.filter(({ ppid, command }) => ppid === pid && / app-server /.test(command));
    return {
      mebibytes: all.find((one) => one.pid === pid)?.mebibytes ?? NaN,
      descriptors: namesIn(`/proc/${pid}/fd`).length || NaN,
      servers: servers.length,
      serverMebibytes: Math.max(0, ...servers.map(({ mebibytes }) => mebibytes)),
    };
  }

  /** Ends the plugin; throws when anything of its turns is left. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.lab[Symbol.asyncDispose]();
  }
}

type Sample = Awaited<ReturnType<SoakWorld["size"]>> & {
  turns: number;
  fakeMs: number;
  realMs: number;
};

async function soak(): Promise<Sample[]> {
  await using world = await SoakWorld.open(WORKSPACES, STAYS ? WORKSPACES : REAL, STAYS);
  const samples: Sample[] = [];
  let begun = 0;
  let recent: SoakTurn[] = [];
  const lane = async (upTo: number): Promise<void> => {
    while (begun < upTo) {
      begun++;
      recent.push(await world.turn());
    }
  };
  while (begun < TURNS) {
    recent = [];
    const upTo = Math.min(TURNS, begun + EVERY);
    await Promise.all(Array.from({ length: PARALLEL }, () => lane(upTo)));
    const of = (real: boolean) => recent.filter((turn) => turn.real === real).map(({ ms }) => ms);
    const sample = { turns: begun, ...await world.size() };
    samples.push({ ...sample, fakeMs: median(of(false)), realMs: median(of(true)) });
    console.error(JSON.stringify(samples.at(-1)));
  }
  return samples;
}

const FIGURES: { name: string; of: (sample: Sample) => number; unit: string }[] = [
  { name: "memory", of: ({ mebibytes }) => mebibytes, unit: "MiB" },
  { name: "descriptors", of: ({ descriptors }) => descriptors, unit: "" },
  { name: "codex that stay", of: ({ servers }) => servers, unit: "" },
  { name: "the largest of them", of: ({ serverMebibytes }) => serverMebibytes, unit: "MiB" },
  { name: "turn, fake codex (median)", of: ({ fakeMs }) => fakeMs, unit: "ms" },
  { name: "turn, real codex (median)", of: ({ realMs }) => realMs, unit: "ms" },
];

function points(samples: Sample[], of: (sample: Sample) => number): [number, number][] {
  return samples.map((sample): [number, number] => [sample.turns, of(sample)])
    .filter(([, value]) => !Number.isNaN(value));
}

function report(samples: Sample[]): Map<string, Trend> {
  const trends = new Map<string, Trend>();
  const warm = samples.filter(({ turns }) => turns > WARM_UP);
  const rows = FIGURES.flatMap(({ name, of, unit }) => {
    const all = points(warm, of);
    if (all.length === 0) return [];
    const trend = trendOf(all);
    trends.set(name, trend);
    const values = all.map(([, value]) => value);
    const cells = [values[0], values.at(-1), Math.min(...values), Math.max(...values)]
      .map((value) => `${Math.round((value ?? NaN) * 10) / 10} ${unit}`);
    const slope = `${trend.slope < 0 ? "" : "+"}${(trend.slope * 1000).toFixed(2)} ${unit}`;
    return [[name, ...cells, slope]];
  });
  const head = [`after ${warm[0]?.turns} turns`, `after ${TURNS}`, "lowest", "highest"];
  console.log(table(["figure", ...head, "trend per 1000 turns"], rows));
  return trends;
}

function draw(samples: Sample[]): void {
  const charts = join(ROOT, "docs", "charts");
  Deno.mkdirSync(charts, { recursive: true });
  const series = (indexes: number[]) =>
    indexes.map((index) => FIGURES[index]).filter((figure) => figure !== undefined)
      .map(({ name, of }) => ({ name, points: points(samples, of) }));
  const words = { xWords: "turns", title: `One plugin process, ${WORKSPACES} workspaces` };
  Deno.writeTextFileSync(
    join(charts, "soak-size.svg"),
    lineChart({ ...words, unit: "MiB and descriptors" }, series([0, 1])),
  );
  Deno.writeTextFileSync(
    join(charts, "soak-latency.svg"),
    lineChart({ ...words, unit: "ms a turn" }, series([4, 5])),
  );
}

const samples = await soak();
const trends = report(samples);
if (!STAYS) draw(samples);
const growth = (name: string): number => {
  const trend = trends.get(name);
  return trend === undefined ? 0 : trend.last - trend.first;
};
const flat = growth("memory") <= GROWTH_MAX_MIB && growth("descriptors") <= GROWTH_MAX_DESCRIPTORS;
if (!flat) console.log("memory or descriptors grow");
Deno.exit(flat ? 0 : 1);
