/**
 * Did a call fail? codex does not mark an output record as an error. It says so elsewhere:
 *
 * - In an event of the same call id. In every captured run (0.135, 0.150, 0.169) it stands *before* the
 *   output record when the call ended by itself: `mcp_tool_call_end` and `patch_apply_end` up to 0.146,
 *   `item_completed` with status `failed` or `declined`, or an exit code that is not 0, from 0.148.
 * - In the head of the output itself: `Process exited with code 3`, `Exit code: 1`, `Script failed`. Shell
 *   calls have no event before 0.148, and none where the sandbox blocked them (0.169).
 * - In a sentence of codex's own that stands for the output: `unsupported call: …`, `aborted by user …`.
 *   After a cancel the event comes later than the output (0.169); the sentence is what there is in time.
 *
 * So a result is never held back to wait for an event: an event seen before it, and its own text, decide.
 * Only codex's words before the tool's output are looked at, never what the tool printed.
 *
 * @module
 */

/** `Chunk ID` and `Wall time` are codex's head of a shell output, and so is the line after them. */
const EXIT_CODE =
  /^(?:Chunk ID: .*\n)?(?:Wall time: .*\n)?(?:Process exited with code|Exit code:) (-?\d+)\n/;

/** A shell's output as JSON in a string, which older versions and some models have. */
const JSON_OUTPUT = /^\{"output":".*","metadata":\{"exit_code":(-?\d+),[^{}]*\}\}$/s;

/** Whole outputs that codex wrote instead of a tool. */
const REFUSALS = [
  /^unsupported call: /,
  /^failed to parse function arguments: /,
  /^(?:Wall time: [\d.]+ seconds\n)?aborted(?: by user[^\n]*)?$/,
  /^Script failed\n/,
  /^(?:apply_patch verification|exec_command|write_stdin) failed\b/,
  /^(?:Tool call|Command) blocked by /, // a hook of the user's
  /^unable to locate image at /,
  /^\w+ is unavailable in /,
];

/** Arguments of an MCP call that were no JSON: the server was never asked, so there is no event. */
const NEVER_SENT = /^Wall time: [\d.]+ seconds\nOutput:\n(?:\[\{"type":"text","text":")?err: /;

/**
 * Whether the output, by codex's own words in it, tells of a failure.
 *
 * @param eventSeen whether codex reported an event for this call; it then decides what the words leave open.
 */
export function tellsFailure(output: string | unknown[], eventSeen: boolean): boolean {
  const text = typeof output === "string" ? output : headOf(output);
  const exit = EXIT_CODE.exec(text) ?? JSON_OUTPUT.exec(text);
  if (exit !== null) return exit[1] !== "0";
  return REFUSALS.some((refusal) => refusal.test(text)) || (!eventSeen && NEVER_SENT.test(text));
}

/** The first two text parts: codex puts its own words into the first, the tool's into the next. */
function headOf(parts: unknown[]): string {
  return parts.slice(0, 2).map(textOf).join("\n");
}

function textOf(part: unknown): string {
  if (typeof part !== "object" || part === null || !("text" in part)) return "";
  return typeof part.text === "string" ? part.text : "";
}
