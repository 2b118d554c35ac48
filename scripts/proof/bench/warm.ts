/**
 * One turn by a codex that stays, side by side with what else there is: a bare `codex exec`, the smallest
 * client of an app-server, the packages people use. The same codex, and a model that answers at once.
 *
 *     deno run -A scripts/proof/bench/warm.ts [PAIRS]
 */
import { pause } from "../../../base/timer.ts";
import { quantile } from "../series.ts";
import { figure, report } from "./figures/figure.ts";
import { compare, Contender } from "./turn/contender.ts";

const PAIRS = Number(Deno.args[0] ?? 21);
/** How long a spare may take to be there again; nobody asks for two new agents at once. */
const SPARE_MS = 1_500;

const plugin = (spare = false): Promise<Contender> =>
  Contender.enter("plugin", { config: { transport: "app-server", warm: { spare, max: 8 } } });

const BARE = "bare `codex exec resume`";
for (
  const [name, entrant, goal] of [
    [BARE, "node", 0.16],
    ["the smallest client of a warm app-server", "smallest", 1.15],
    ["`ai-sdk-provider-codex-cli`, app-server", "appServer", 0.95],
    ["`@openai/codex-sdk`", "codexSdk", 0.95],
  ] as const
) {
  await using ours = await plugin();
  await using theirs = await Contender.enter(entrant);
  const words = { question: "warm turn", name, goal };
  report(await compare(words, PAIRS, () => ours.resume(), () => theirs.resume()));
}

{
  await using ours = await plugin();
  await using theirs = await Contender.enter("smallest");
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
  await using ours = await plugin();
  await using theirs = await Contender.enter("node");
  const words = { question: "turn after a consume", name: BARE, goal: 0.35 };
  const consumed = () => ours.resume({ consume: true });
  report(await compare(words, PAIRS, consumed, () => theirs.resume()));
}

for (const [spare, goal] of [[true, 0.55], [false, 1]] as const) {
  await using ours = await plugin(spare);
  await using theirs = await Contender.enter("node");
  const question = `first turn of an agent, ${spare ? "with" : "without"} a spare`;
  const first = async () => {
    if (spare) await pause(SPARE_MS);
    return await ours.begin();
  };
  const words = { question, name: "bare `codex exec`", goal };
  report(await compare(words, PAIRS, first, () => theirs.begin()));
}
