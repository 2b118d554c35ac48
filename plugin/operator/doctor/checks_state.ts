/**
 * Checks of what the plugin keeps between turns.
 *
 * @module
 */
import { join } from "@std/path";
import * as z from "zod/mini";
import { ownUid } from "../../../base/open_file.ts";
import { staleTurns } from "../../../runner/process/turn_sweep.ts";
import { STATS_FILE } from "../../stats.ts";
import { type Check, fail, type Finding, ok, warn, type World } from "./check.ts";
import { exists, readIfThere } from "../setup/step.ts";
import { isWritable } from "../cli/writable.ts";

/** In the order in which one would look. */
export const STATE_CHECKS: readonly Check[] = [
  { id: "state_directory", run: state },
  { id: "stale_turns", run: stale },
  { id: "pending_consumes", run: pending },
  { id: "last_turn", run: lastTurn },
];

const LastTurn = z.looseObject({
  turns: z.looseObject({
    end_turn: z.number(),
    max_tokens: z.number(),
    cancelled: z.number(),
    error: z.number(),
    refused: z.number(),
  }),
  last_turn: z.looseObject({ at: z.string(), error: z.optional(z.string()) }),
});

function state({ paths }: World): Finding {
  if (!exists(paths.state)) {
    return isWritable(exists(paths.plugin) ? paths.plugin : undefined)
      ? ok("made with the first turn", paths.state)
      : fail(
        `${paths.state} cannot be made`,
        `Make ${paths.plugin} writable for this user, or run install.`,
      );
  }
  const info = Deno.lstatSync(paths.state);
  const remedy = `Make it a directory of this user with mode 0700: ${paths.state}`;
  if (!info.isDirectory) return fail("the state is not a directory", remedy, paths.state);
  if (info.uid !== null && info.uid !== ownUid()) {
    return fail(`the state belongs to user ${info.uid}`, remedy, paths.state);
  }
  if (!isWritable(paths.state)) {
    return fail("the state cannot be written: no thread would be remembered", remedy, paths.state);
  }
  return ((info.mode ?? 0) & 0o077) === 0
    ? ok("ours alone, and writable", paths.state)
    : warn("others can look into the state", `chmod 700 ${paths.state}`);
}

/** Turns of a plugin that was killed: the next one that starts ends what they left. */
async function stale({ paths }: World): Promise<Finding> {
  const turns = await staleTurns(paths.running);
  if (turns.length === 0) return ok("nothing is left of a plugin that was killed");
  const processes = turns.reduce((sum, { family }) => sum + family.length, 0);
  return warn(
    `${turns.length} of a plugin that was killed`,
    "The plugin clears them away when the host starts it next.",
    `${processes} processes of theirs still run`,
  );
}

function pending({ paths }: World): Finding {
  const names = exists(paths.state) ? [...Deno.readDirSync(paths.state)] : [];
  const threads = new Set(
    names.flatMap(({ name }) => /^([0-9a-f-]{36})\.(?:pending|journal)$/.exec(name)?.[1] ?? []),
  );
  return threads.size === 0 ? ok("none") : warn(
    threads.size === 1 ? "one thread has some" : `${threads.size} threads have some`,
    "They are carried out before the thread's next turn.",
    [...threads].slice(0, 5).join(", "),
  );
}

/** What the plugin did lately, from the counters it leaves after every turn. */
function lastTurn({ paths }: World): Finding {
  const text = readIfThere(join(paths.state, STATS_FILE));
  if (text === undefined) return ok("no turn yet");
  const parsed = z.safeParse(LastTurn, parseJson(text));
  if (!parsed.success) return ok("its counters cannot be read", paths.state);
  const { turns, last_turn: last } = parsed.data;
  const total = turns.end_turn + turns.max_tokens + turns.cancelled + turns.error + turns.refused;
  const count = `${total} ${total === 1 ? "turn" : "turns"} since the plugin's last start`;
  if (last.error === undefined) return ok(`${count}, the last one ended well`, `at ${last.at}`);
  return warn(
    `the last turn failed: ${last.error}`,
    "See docs/troubleshooting.md, and the host's log of that time.",
    `${count}; it ended at ${last.at}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
