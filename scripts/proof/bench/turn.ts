/**
 * One turn, request to end, side by side with everything else that drives codex: bare runs by the
 * smallest programs possible, and the packages people use. The same codex, and a model that answers
 * at once, so that nothing is measured but what stands between the asker and codex.
 *
 *     deno run -A scripts/proof/bench/turn.ts [PAIRS]
 */
import { type Figure, figure, report } from "./figures/figure.ts";
import { short } from "../../table.ts";
import { median, pairs, ratios } from "../series.ts";
import { Arena } from "./turn/arena.ts";
import type { Contender, Took } from "./turn/contender.ts";

const PAIRS = Number(Deno.args[0] ?? 51);

interface Match {
  other: string;
  /** Lets the other in, with a home called `name`. */
  enter: (name: string) => Contender | Promise<Contender>;
  goal?: number;
  /** Whether the other also tells when it has read `turn.completed`. */
  tells?: boolean;
}

const BARE = { goal: 1.05, tells: true };
const FIRST = "first turn of a thread";
const RESUMED = "resumed turn";

await using arena = await Arena.open();

const node: Match = {
  other: "bare `codex exec --json`, started by Node",
  enter: (name) => arena.node(name),
  ...BARE,
};
const deno: Match = {
  other: "bare `codex exec --json`, started by Deno",
  enter: (name) => arena.deno(name),
  ...BARE,
};
const codexSdk: Match = {
  other: "`@openai/codex-sdk`",
  enter: (name) => arena.codexSdk(name),
  goal: 1,
};
const aiSdk: Match = {
  other: "`ai-sdk-provider-codex-cli`",
  enter: (name) => arena.aiSdk(name),
  goal: 1,
};
const appServer: Match = {
  other: "`ai-sdk-provider-codex-cli`, a `codex app-server` that stays",
  enter: (name) => arena.appServer(name),
};

let matches = 0;

/** Both begin with an empty codex home, so that they have the same number of threads in it. */
async function play(question: string, { other, enter, goal, tells }: Match): Promise<Figure[]> {
  const match = ++matches;
  await using plugin = await arena.plugin(`plugin-${match}`);
  await using peer = await enter(`peer-${match}`);
  const run = (one: Contender): Promise<Took> => question === FIRST ? one.begin() : one.resume();
  const told: number[] = [];
  const { a: ours, b: theirs } = await pairs(
    PAIRS,
    async () => (await run(plugin)).ms,
    async () => {
      const took = await run(peer);
      told.push(took.toldMs);
      return took.ms;
    },
  );
  const compared = (name: string, theirs: number[], goal?: number): Figure => {
    const note = `${short(median(ours))} ms to ${short(median(theirs))} ms`;
    const values = ratios(ours, theirs);
    return figure({ question, name, values, note, ...(goal === undefined ? {} : { goal }) });
  };
  const figures = [compared(other, theirs, goal)];
  if (tells) {
    // The first round does not count.
    figures.push(compared(`${other}, until it has read \`turn.completed\``, told.slice(1)));
  }
  return figures;
}

for (
  const [question, others] of [
    [FIRST, [node, deno, codexSdk, aiSdk, appServer]],
    [RESUMED, [node, deno, codexSdk, appServer]],
  ] as const
) {
  const figures: Figure[] = [];
  for (const match of others) figures.push(...await play(question, match));
  report(figures);
}
