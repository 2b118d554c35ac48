/**
 * Checks of what turns left behind.
 *
 * @module
 */
import { join } from "@std/path";
import * as z from "zod/mini";
import { staleTurns } from "../../../runner/process/turn_sweep.ts";
import { many } from "../cli/format.ts";
import { exists } from "../../../base/files.ts";
import { type Check, type DoctorContext, type Finding, ok, warn } from "./check.ts";
import { readStats, turnsOf } from "../../stats.ts";
import { keptMemory, keptText } from "./stats_command.ts";

/** In the order in which one would look. */
export const TURN_CHECKS: readonly Check[] = [
  { id: "stale_turns", group: "turns", needs: ["state_directory"], run: stale },
  { id: "pending_consumes", group: "turns", needs: ["state_directory"], run: pending },
  { id: "kept_codex", group: "turns", needs: ["state_directory"], run: kept },
  { id: "last_turn", group: "turns", needs: ["state_directory"], run: lastTurn },
];

/** Turns of a plugin that was killed: the next one that starts ends what they left. */
async function stale({ facts: { paths } }: DoctorContext): Promise<Finding> {
  const turns = await staleTurns(paths.running);
  if (turns.length === 0) return ok("nothing is left of a plugin that was killed");
  const processes = turns.reduce((sum, { family }) => sum + family.length, 0);
  return warn(`${many(turns.length, "turn")} of a plugin that was killed`, {
    detail: `processes of theirs that still run: ${processes}`,
    remedy: "The plugin clears them away when the host starts it next.",
  });
}

function pending({ facts: { paths } }: DoctorContext): Finding {
  const names = exists(paths.state) ? [...Deno.readDirSync(paths.state)] : [];
  const threads = new Set(
    names.flatMap(({ name }) => /^([0-9a-f-]{36})\.(?:pending|journal)$/.exec(name)?.[1] ?? []),
  );
  return threads.size === 0 ? ok("none wait") : warn(
    `consumes of ${many(threads.size, "thread")} wait`,
    {
      detail: [...threads].join("\n"),
      remedy:
        "They are carried out as soon as no codex writes the thread, at the latest before its next turn.",
    },
  );
}

/** codex that stay between turns, as of the last turn's end, and what they hold now. */
async function kept({ facts: { paths } }: DoctorContext): Promise<Finding> {
  const stats = readStats(paths);
  return ok(keptText(stats?.kept, await keptMemory(stats)) || "none");
}

const LastTurn = z.looseObject({ at: z.string(), error: z.optional(z.string()) });

/** What the plugin did lately, from the counters it leaves after every turn. */
function lastTurn(context: DoctorContext): Finding {
  const { paths } = context.facts;
  const stats = readStats(paths);
  if (stats === undefined) return ok("no turn yet");
  const last = z.safeParse(LastTurn, stats.last_turn);
  const turns = `${many(turnsOf(stats), "turn")} since the plugin's last start`;
  if (!last.success) return ok(turns, join(paths.state, "stats.json"));
  const { at, error } = last.data;
  if (error === undefined) return ok(`${turns}, the last one ended well`, `at ${at}`);
  return warn(`the last turn failed: ${error}`, {
    detail: `${turns}; it ended at ${at}`,
    remedy: "What the kinds of errors mean; the host's log of that time has the message:",
    command: context.help("errors"),
  });
}
