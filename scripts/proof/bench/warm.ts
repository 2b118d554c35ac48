/**
 * One turn by a codex that stays, side by side with what else there is: a bare `codex exec`, the smallest
 * client of an app-server, the packages people use. The same codex, and a model that answers at once.
 *
 *     deno run -A scripts/proof/bench/warm.ts [PAIRS]
 */
import { type Figure, figure, report } from "./figures/figure.ts";
import { short } from "../../table.ts";
import { median, pairs, quantile, ratios } from "../series.ts";
import { Arena } from "./turn/arena.ts";
import type { Contender, Took } from "./turn/contender.ts";

const PAIRS = Number(Deno.args[0] ?? 21);
/** How long a spare may take to be there again; nobody asks for two new agents at once. */
const SPARE_MS = 1_500;

const WARM = "warm turn";
const AFTER_CONSUME = "turn after a consume";
const FIRST_SPARE = "first turn of an agent, with a spare";
const FIRST_COLD = "first turn of an agent, without a spare";

await using arena = await Arena.open();
let matches = 0;

const plugin = (spare: boolean): Promise<Contender> =>
  arena.plugin(`plugin-${++matches}`, { transport: "app-server", warm: { spare, max: 8 } });
const enter = (one: (name: string) => Contender | Promise<Contender>) => one(`peer-${++matches}`);

async function compared(
  question: string,
  name: string,
  ours: () => Promise<Took>,
  theirs: () => Promise<Took>,
  goal: number,
): Promise<Figure> {
  const { a, b } = await pairs(
    PAIRS,
    async () => (await ours()).ms,
    async () => (await theirs()).ms,
  );
  const note = `${short(median(a))} ms to ${short(median(b))} ms`;
  return figure({ question, name, values: ratios(a, b), note, goal });
}

const BARE = "bare `codex exec resume`";
const SMALLEST = "the smallest client of a warm app-server";
for (
  const [name, one, goal] of [
    [BARE, (name: string) => arena.node(name), 0.16],
    [SMALLEST, (name: string) => arena.smallest(name), 1.15],
    ["`ai-sdk-provider-codex-cli`, app-server", (name: string) => arena.appServer(name), 0.95],
    ["`@openai/codex-sdk`", (name: string) => arena.codexSdk(name), 0.95],
  ] as const
) {
  await using ours = await plugin(false);
  await using theirs = await enter(one);
  report([await compared(WARM, name, () => ours.resume(), () => theirs.resume(), goal)]);
}

{
  await using ours = await plugin(false);
  await using theirs = await enter((name) => arena.smallest(name));
  const added: number[] = [];
  for (let n = 0; n <= PAIRS; n++) {
    const [one, two] = [await ours.resume(), await theirs.resume()];
    if (n > 0) added.push((one.deltaMs ?? NaN) - (two.deltaMs ?? NaN));
  }
  const question = "from the request to the first piece of text, added to the smallest client";
  report([
    figure({ question, name: "p50", values: added, unit: "ms" }),
    figure({ question, name: "p99", values: [quantile(added, 0.99)], unit: "ms" }),
  ]);
}

{
  await using ours = await plugin(false);
  await using theirs = await enter((name) => arena.node(name));
  const consumed = () => ours.resume({ consume: true });
  report([await compared(AFTER_CONSUME, BARE, consumed, () => theirs.resume(), 0.35)]);
}

for (
  const [question, spare, goal] of [[FIRST_SPARE, true, 0.55], [FIRST_COLD, false, 1]] as const
) {
  await using ours = await plugin(spare);
  await using theirs = await enter((name) => arena.node(name));
  const first = async () => {
    if (spare) await new Promise((resolve) => setTimeout(resolve, SPARE_MS));
    return await ours.begin();
  };
  report([await compared(question, "bare `codex exec`", first, () => theirs.begin(), goal)]);
}
