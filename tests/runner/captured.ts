/**
 * Captured runs of codex, by version and scenario: what it printed, how it ended, what it recorded.
 *
 * Verbatim except for replaced paths and strings cut after 500 characters.
 */
import { existsSync } from "node:fs";
import { fromFileUrl, join } from "@std/path";
import { decodeRecord, type RolloutRecord } from "../../rollout/records/records.ts";
import { type Followed, TurnCalls } from "../../rollout/turn_calls.ts";
import { decodeExecLine } from "../../runner/exec/wire.ts";
import type { CodexEvent } from "../../runner/transport.ts";

const FIXTURES = fromFileUrl(new URL("../fixtures/", import.meta.url));

/** The versions with captured runs. */
const CAPTURED_VERSIONS: readonly string[] = [...Deno.readDirSync(FIXTURES)]
  .map(({ name }) => name).filter((name) => existsSync(join(FIXTURES, name, "text"))).sort();

export interface CapturedRun {
  version: string;
  scenario: string;
  /** Lines of stdout as they were printed. */
  stdout: string[];
  stderr: string;
  exitCode: number | undefined;
  signal: string | undefined;
  /** Lines of the rollout. */
  rollout: string[];
}

/** One captured run; of several turns the last one's exit. */
export function capturedRun(version: string, scenario: string): CapturedRun {
  const read = (name: string) => {
    try {
      return Deno.readTextFileSync(join(FIXTURES, version, scenario, name));
    } catch {
      return "";
    }
  };
  const exit = read("exit").trim();
  const signal = /^signal (\w+)$/.exec(exit)?.[1];
  return {
    version,
    scenario,
    stdout: lines(read("stdout.jsonl")),
    stderr: read("stderr.txt"),
    exitCode: signal === undefined ? Number(exit.split(/\s+/).at(-1)) : undefined,
    signal,
    rollout: lines(read("rollout.jsonl")),
  };
}

/** Every captured run that printed something. */
export function capturedRuns(): CapturedRun[] {
  return CAPTURED_VERSIONS.flatMap((version) =>
    [...Deno.readDirSync(join(FIXTURES, version))]
      .map(({ name }) => capturedRun(version, name))
      .filter(({ stdout }) => stdout.length > 0)
  );
}

/** What the printed lines say. */
export function eventsOf(run: CapturedRun): CodexEvent[] {
  const encoder = new TextEncoder();
  return run.stdout.flatMap((line) => decodeExecLine(encoder.encode(line)) ?? []);
}

/** What the recorded lines say to a follower. */
export function followedOf(run: CapturedRun): Followed[] {
  const encoder = new TextEncoder();
  const calls = new TurnCalls();
  const records: RolloutRecord[] = run.rollout.map((line) => decodeRecord(encoder.encode(line)));
  return [...records.flatMap((record) => calls.take(record)), ...calls.close()];
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
