/**
 * One turn, request to end, side by side with everything else that drives codex: bare runs by the
 * smallest programs possible, and the packages people use. The same codex, and a model that answers
 * at once, so that nothing is measured but what stands between the asker and codex.
 *
 *     deno run -A scripts/bench/turn.ts [PAIRS]
 */
import { type Figure, figure, report, short } from "./figures/figure.ts";
import { median, pairs, ratios } from "./figures/series.ts";
import { Arena } from "./turn/arena.ts";
import type { Contender, Took } from "./turn/contender.ts";

const PAIRS = Number(Deno.args[0] ?? 31);

interface Match {
  name: string;
  other: Contender;
  goal?: number;
  /** Which of the other's times counts. */
  time?: "ms" | "toldMs";
}

async function play(
  question: string,
  run: (contender: Contender) => Promise<Took>,
  plugin: Contender,
  matches: Match[],
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, other, goal, time } of matches) {
    // Both begin with a new thread, so that what they resume has the same length.
    for (const one of [plugin, other]) one.forget();
    const told: number[] = [];
    const { a, b } = await pairs(PAIRS, async () => (await run(plugin)).ms, async () => {
      const took = await run(other);
      told.push(took.toldMs);
      return took.ms;
    });
    const say = (theirs: number[], name: string, goal: number | undefined): void => {
      const note = `${short(median(a))} ms to ${short(median(theirs))} ms`;
      const values = ratios(a, theirs);
      figures.push(
        figure({ question, name, values, note, ...(goal === undefined ? {} : { goal }) }),
      );
    };
    say(b, name, goal);
    if (time === "toldMs") {
      say(told.slice(1), `${name}, until it has read \`turn.completed\``, undefined);
    }
  }
  return figures;
}

await using arena = await Arena.open();
const plugin = await arena.plugin();
const deno = arena.deno();
const node = arena.node();
const codexSdk = await arena.codexSdk();
const aiSdk = await arena.aiSdk();
const bare: Match[] = [
  { name: "bare `codex exec --json`, started by Node", other: node, goal: 1.05, time: "toldMs" },
  { name: "bare `codex exec --json`, started by Deno", other: deno, goal: 1.05, time: "toldMs" },
];
const sdk: Match = { name: "`@openai/codex-sdk`", other: codexSdk, goal: 1 };
const server: Match = {
  name: "`ai-sdk-provider-codex-cli`, a `codex app-server` that stays",
  other: await arena.appServer(),
};
const ai: Match = { name: "`ai-sdk-provider-codex-cli`", other: aiSdk, goal: 1 };
report(
  await play("first turn of a thread", (one) => one.begin(), plugin, [...bare, sdk, ai, server]),
);
report(await play("resumed turn", (one) => one.resume(), plugin, [...bare, sdk, server]));
