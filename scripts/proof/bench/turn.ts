/**
 * One turn, request to end, side by side with everything else that drives codex: bare runs by the
 * smallest programs possible, and the packages people use. The same codex, and a model that answers
 * at once, so that nothing is measured but what stands between the asker and codex.
 *
 *     deno run -A scripts/proof/bench/turn.ts [PAIRS]
 */
import { type Figure, report } from "./figures/figure.ts";
import { compare, Contender, type Entrant } from "./turn/contender.ts";

const PAIRS = Number(Deno.args[0] ?? 51);

/** With its goal, and whether it also tells when it has read `turn.completed`. */
const OTHERS: { entrant: Entrant; name: string; goal?: number; tells?: true; only?: "begin" }[] = [
  {
    ...{ entrant: "node", name: "bare `codex exec --json`, started by Node" },
    ...{ goal: 1.05, tells: true },
  },
  {
    ...{ entrant: "deno", name: "bare `codex exec --json`, started by Deno" },
    ...{ goal: 1.05, tells: true },
  },
  { entrant: "codexSdk", name: "`@openai/codex-sdk`", goal: 1 },
  { entrant: "aiSdk", name: "`ai-sdk-provider-codex-cli`", goal: 1, only: "begin" },
  { entrant: "appServer", name: "`ai-sdk-provider-codex-cli`, a `codex app-server` that stays" },
];

for (
  const [question, run] of [
    ["first turn of a thread", "begin"],
    ["resumed turn", "resume"],
  ] as const
) {
  const figures: Figure[] = [];
  for (const { entrant, name, tells, only = run, ...goal } of OTHERS) {
    if (only !== run) continue;
    // Both begin with an empty codex home, so that they have the same number of threads in it, and with
    // codex as it is installed.
    await using plugin = await Contender.enter("plugin", { ordinary: true });
    await using peer = await Contender.enter(entrant, { ordinary: true });
    const told = tells ? { told: `${name}, until it has read \`turn.completed\`` } : {};
    const words = { question, name, ...goal, ...told };
    figures.push(...await compare(words, PAIRS, () => plugin[run](), () => peer[run]()));
  }
  report(figures);
}
