/**
 * A scenario: something the plugin promises a host, played with a real codex against the scripted
 * model, with assertions on the host's events and on what reached the model.
 */
import type { Lab, LabOptions } from "../../../tests/support/lab.ts";

/** Plays something in a lab; throws when what was promised did not happen. */
export type Play = (lab: Lab) => Promise<void>;

/** One row of the matrix. */
export interface Scenario {
  /** As it is written after `--scenarios`. */
  name: string;
  /** What a pass means, in one line. */
  promise: string;
  play: Play;
  /** What its lab needs beside codex. */
  lab?: LabOptions;
  /** Why it cannot be played on this machine, if it cannot. */
  missing?: () => string | undefined;
}

/** What came of a scenario on a version. */
export type Cell =
  | { verdict: "pass" }
  /** codex cannot; what the plugin promises instead was seen. */
  | { verdict: "limit"; id: string }
  /** This machine cannot. */
  | { verdict: "skip"; reason: string }
  | { verdict: "fail"; reason: string };
