/**
 * The counters that the plugin leaves after every turn: another process cannot ask it, the host holds
 * its stdin.
 *
 * @module
 */
import { join } from "@std/path";
import * as z from "zod/mini";
import { inWords } from "../../../base/error_message.ts";
import type { ProfilePaths } from "../../profile.ts";
import { PluginStats } from "../../protocol.ts";
import { STATS_FILE } from "../../stats.ts";
import { readIfThere } from "../../../base/files.ts";

/**
 * The counters; `undefined` where no turn ever ended.
 * @throws {Error} where the file cannot be read.
 */
export function readStats({ state }: ProfilePaths): PluginStats | undefined {
  const path = join(state, STATS_FILE);
  try {
    const text = readIfThere(path);
    return text === undefined ? undefined : z.parse(PluginStats, JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.core.$ZodError ? "it is of another version" : inWords(error);
    throw new Error(`Cannot read the counters in ${path}: ${why}`);
  }
}

/** All turns that are over. */
export function turnsOf({ turns }: PluginStats): number {
  return turns.end_turn + turns.max_tokens + turns.cancelled + turns.error + turns.refused;
}
