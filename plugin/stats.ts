/**
 * Counters of this plugin process, for `plexum/plugin/stats` and, as a file, for `doctor`: another
 * process cannot ask us, the host holds our stdin.
 *
 * Nothing in here is a prompt, a payload or a path of the operator's.
 *
 * @module
 */
import { basename, dirname, join } from "@std/path";
import * as z from "zod/mini";
import { inWords } from "../base/error_message.ts";
import { readIfThere } from "../base/files.ts";
import type { ErrorKind } from "../runner/turn_event.ts";
import type { TurnSummary } from "../runner/turn_stream.ts";
import type { ProfilePaths } from "./profile.ts";
import { PluginStats } from "./protocol.ts";

/** The file's name in the state directory. */
export const STATS_FILE = "stats.json";

const NOTHING_KEPT = { processes: 0, pids: [], running: 0, warm: 0, spare: 0, cold: 0 };

/** Counts what this process did. */
export class Stats {
  readonly #path: string;
  readonly #stats: PluginStats;
  readonly #kept: () => PluginStats["kept"];
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param stateDirectory Where the counters are left after every turn.
   * @param kept What of codex stays between turns, and how often that was of use.
   */
  constructor(
    version: string,
    stateDirectory: string,
    kept: () => PluginStats["kept"] = () => NOTHING_KEPT,
  ) {
    this.#path = join(stateDirectory, STATS_FILE);
    this.#stats = {
      version,
      since: new Date().toISOString(),
      turns: { running: 0, end_turn: 0, max_tokens: 0, cancelled: 0, error: 0, refused: 0 },
      errors: {},
      tokens: { input: 0, cached_input: 0, output: 0, reasoning_output: 0 },
      tools: { calls: 0, host_calls: 0, errors: 0, output_bytes: 0 },
      text_bytes: 0,
      consumes: { requests: 0, touched: 0, deferred: 0, skipped: 0, failed: 0 },
      kept: kept(),
    };
    this.#kept = kept;
  }

  /** A turn began. */
  turnStarted(): void {
    this.#stats.turns.running++;
  }

  /** A turn that began is over. */
  turnEnded(summary: TurnSummary): void {
    const { turns, tokens, tools } = this.#stats;
    turns.running--;
    turns[summary.stop_reason]++;
    if (summary.error !== undefined) this.#error(summary.error);
    tokens.input += summary.input_tokens ?? 0;
    tokens.cached_input += summary.cached_input_tokens ?? 0;
    tokens.output += summary.output_tokens ?? 0;
    tokens.reasoning_output += summary.reasoning_output_tokens ?? 0;
    tools.calls += summary.tool_calls;
    tools.host_calls += summary.host_tool_calls;
    tools.errors += summary.tool_errors;
    tools.output_bytes += summary.tool_output_bytes;
    this.#stats.text_bytes += summary.text_bytes;
    this.#stats.last_turn = { at: new Date().toISOString(), ...summary };
    this.#leave();
  }

  /** A turn that began could not start codex: the host got an error instead of events. */
  turnRefused(summary: TurnSummary): void {
    this.#stats.turns.running--;
    this.#stats.turns.refused++;
    this.#error(summary.error ?? "internal");
    this.#stats.last_turn = { at: new Date().toISOString(), ...summary };
    this.#leave();
  }

  /** A consume was asked for and answered; without an answer it failed. */
  consumed(result?: { touched: number; deferred: number; skipped: readonly unknown[] }): void {
    const { consumes } = this.#stats;
    consumes.requests++;
    if (result === undefined) consumes.failed++;
    consumes.touched += result?.touched ?? 0;
    consumes.deferred += result?.deferred ?? 0;
    consumes.skipped += result?.skipped.length ?? 0;
  }

  /** The counters as they are now. */
  snapshot(): PluginStats {
    return structuredClone({ ...this.#stats, kept: this.#kept() });
  }

  /** Resolves when the file is up to date, or could not be written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  #error(kind: ErrorKind): void {
    this.#stats.errors[kind] = (this.#stats.errors[kind] ?? 0) + 1;
  }

  /** Not waited for, and no error: the turn matters, not its counters. */
  #leave(): void {
    const text = JSON.stringify(this.snapshot(), null, 2) + "\n";
    // A name that the next start clears away, should this one be killed before the rename.
    const temporary = join(
      dirname(this.#path),
      `.${basename(this.#path)}.${crypto.randomUUID()}.tmp`,
    );
    this.#writing = this.#writing.then(async () => {
      await Deno.writeTextFile(temporary, text, { mode: 0o600 });
      await Deno.rename(temporary, this.#path);
    }).catch(() => {});
  }
}

/**
 * The counters; `undefined` where no turn ever ended.
 * @throws {Error} where the file cannot be read.
 */
export function readStats({ state }: ProfilePaths): PluginStats | undefined {
  const path = join(state, STATS_FILE);
  const unreadable = (why: string) => new Error(`Cannot read the counters in ${path}: ${why}`);
  let counters: unknown;
  try {
    const text = readIfThere(path);
    if (text === undefined) return undefined;
    counters = JSON.parse(text);
  } catch (error) {
    throw unreadable(inWords(error));
  }
  const parsed = z.safeParse(PluginStats, counters);
  if (!parsed.success) throw unreadable("it is of another version");
  return parsed.data;
}

/** All turns that are over. */
export function turnsOf({ turns }: PluginStats): number {
  return turns.end_turn + turns.max_tokens + turns.cancelled + turns.error + turns.refused;
}
