/**
 * The host's `system` text, and how it reaches the model.
 *
 * `developer_instructions` go in when the thread starts and are frozen there (measured on 0.135 to
 * 0.169: changing or omitting them on a resume has no effect). Replacing codex's own base prompt
 * would be heard on every turn, but takes from the model what makes it codex. So what changed since,
 * or is too long for an argument, is said in the prompt, once.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { instructionsArgument, MAX_ARGUMENT_BYTES } from "../exec/argv.ts";

/** Where the instructions of a turn go. */
export interface Instructions {
  /** For `developer_instructions`. */
  argument: string | undefined;
  /** For the prompt. */
  inPrompt: string | undefined;
  /** Of what the model has been told once this turn ran; remembered with the thread. */
  digest: string | undefined;
}

/**
 * Where `system` goes.
 * @param thread The thread that is resumed; `undefined` for a new one.
 */
export function instructionsFor(
  system: string | undefined,
  thread: { systemDigest: string | undefined } | undefined,
): Instructions {
  if (system === undefined || system === "") {
    return { argument: undefined, inPrompt: undefined, digest: thread?.systemDigest };
  }
  const digest = createHash("sha256").update(system).digest("hex");
  const { length } = new TextEncoder().encode(instructionsArgument(system));
  const fits = length <= MAX_ARGUMENT_BYTES;
  const known = thread?.systemDigest === digest;
  const frozenOut = thread !== undefined || !fits;
  return {
    argument: fits ? system : undefined,
    inPrompt: frozenOut && !known ? system : undefined,
    digest,
  };
}
