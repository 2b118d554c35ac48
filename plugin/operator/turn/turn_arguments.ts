/**
 * What a turn by hand is about, as it was typed: whose thread, where, and the prompt.
 *
 * @module
 */
import { type Arguments, UsageError } from "../cli/arguments.ts";
import { directoryOf } from "../cli/options.ts";

/** Longest prompt that is read from stdin. */
const STDIN_MAX = 16 * 1024 * 1024;

/** Turns by hand have threads of their own, unless an agent's is asked for. */
export function agentOf(args: Arguments): string {
  const agent = args.text("agent");
  const session = args.text("session");
  if (agent !== undefined && session !== undefined) {
    throw new UsageError("--agent and --session exclude each other");
  }
  return agent ?? `hand:${session ?? "default"}`;
}

/** The directory the turn works in, as it really is. */
export function workspaceOf(args: Arguments): string {
  return Deno.realPathSync(directoryOf("workspace", args.text("workspace") ?? "."));
}

/** The words of the command line, else all of stdin. */
export async function promptOf(args: Arguments): Promise<string> {
  const words = args.words.join(" ");
  if (words !== "" && words !== "-") return words;
  if (Deno.stdin.isTerminal()) throw new UsageError("PROMPT... is missing: type it, or pipe it in");
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of Deno.stdin.readable) {
    length += chunk.length;
    if (length > STDIN_MAX) throw new UsageError(`the prompt is longer than ${STDIN_MAX} bytes`);
    chunks.push(chunk);
  }
  const text = await new Blob(chunks as Uint8Array<ArrayBuffer>[]).text();
  if (text.trim() === "") throw new UsageError("PROMPT... is missing: stdin is empty");
  return text;
}
