/**
 * One turn by a codex that stays, side by side with what else there is: a bare `codex exec`, the smallest
 * client of an app-server, the packages people use. The same codex, and a model that answers at once.
 *
 *     deno run -A scripts/proof/bench/warm.ts [PAIRS]
 */
import { pause } from "../../../base/timer.ts";
import { report } from "./figures/figure.ts";
import { compare, Contender } from "./turn/contender.ts";

const PAIRS = Number(Deno.args[0] ?? 41);
/** How long a spare may take to be there again; nobody asks for two new agents at once. */
const SPARE_MS = 1_500;

const plugin = (spare = false, ordinary = false): Promise<Contender> => {
  const config = { transport: "app-server", warm: { spare, max: 8 } };
  return Contender.enter("plugin", { config, ordinary });
};

const BARE = "bare `codex exec resume`";
{
  await using ours = await plugin(false, true);
  await using theirs = await Contender.enter("node", { ordinary: true });
  const words = { question: "warm turn, codex as it is installed", name: BARE, goal: 0.16 };
  report(await compare(words, PAIRS, () => ours.resume(), () => theirs.resume()));
}
for (
  const [name, entrant, goal] of [
    [BARE, "node", undefined],
    ["the smallest client of a warm app-server", "smallest", 1.15],
    ["`ai-sdk-provider-codex-cli`, app-server", "appServer", 0.95],
    ["`@openai/codex-sdk`", "codexSdk", 0.95],
  ] as const
) {
  await using ours = await plugin();
  await using theirs = await Contender.enter(entrant);
  const words = { question: "warm turn", name, ...(goal === undefined ? {} : { goal }) };
  report(await compare(words, PAIRS, () => ours.resume(), () => theirs.resume()));
}

{
  await using ours = await plugin(false, true);
  await using theirs = await Contender.enter("node", { ordinary: true });
  const words = { question: "turn after a consume", name: BARE, goal: 0.35 };
  const consumed = () => ours.resume({ consume: true });
  report(await compare(words, PAIRS, consumed, () => theirs.resume()));
}

for (const [spare, goal] of [[true, 0.55], [false, 1]] as const) {
  await using ours = await plugin(spare, true);
  await using theirs = await Contender.enter("node", { ordinary: true });
  const question = `first turn of an agent, ${spare ? "with" : "without"} a spare`;
  const first = async () => {
    if (spare) await pause(SPARE_MS);
    return await ours.begin();
  };
  const words = { question, name: "bare `codex exec`", goal };
  report(await compare(words, PAIRS, first, () => theirs.begin()));
}
