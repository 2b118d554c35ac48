/**
 * A scenario: something the plugin promises a host, played with a real codex against the scripted
 * model, with assertions on the host's events and on what reached the model.
 *
 * @module
 */
import type { Stage, StageOptions } from "./stage.ts";

/** Plays something on a stage; throws when what was promised did not happen. */
export type Play = (stage: Stage) => Promise<void>;

/** One row of the matrix. */
export interface Scenario {
  /** As it is written after `--scenarios`. */
  name: string;
  /** What a pass means, in one line. */
  promise: string;
  play: Play;
  /** What its stage needs beside codex. */
  stage?: StageOptions;
}

/** How the plugin runs codex, as its configuration names it. */
export type Transport = "exec" | "app-server";

/** What came of a scenario on a version. */
export type Cell =
  | { verdict: "pass" }
  /** codex cannot; what the plugin promises instead was seen. */
  | { verdict: "limit"; id: string }
  | { verdict: "fail"; reason: string };
