/**
 * What codex reads on stdin: the user's text and, where codex has no other ear for them, changed
 * instructions or the conversation that a lost thread took with it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { instructionsArgument, MAX_ARGUMENT_BYTES } from "./exec/argv.ts";
import { type Failure, TurnError } from "./turn_event.ts";

/** codex refuses longer input, in Unicode characters (all versions). */
export const MAX_PROMPT_CHARACTERS = 1_048_576;
/** How much of an earlier conversation is retold; the newest part is kept. */
export const MAX_HISTORY_CHARACTERS = 200_000;

/** More than what stands around an earlier conversation. */
const FRAME_CHARACTERS = 200;

/** A message of the conversation before this turn. */
export interface PastMessage {
  role: string;
  text: string;
}

/** What goes into a prompt. */
export interface PromptParts {
  /** The text of the last user message. */
  text: string;
  /** Instructions that did not go in as `developer_instructions`. */
  instructions?: string | undefined;
  /** Retold when a new thread stands in for a lost one. */
  history?: readonly PastMessage[] | undefined;
}

/**
 * The prompt. Lone surrogates become U+FFFD, since codex exits on input that is not UTF-8.
 * @throws {TurnError} `invalid_request`: no text, or more than codex takes.
 */
export function composePrompt({ text, instructions, history = [] }: PromptParts): string {
  if (text.trim() === "") throw new TurnError(NO_TEXT);
  const told = instructions === undefined ? "" : section("developer_instructions", instructions);
  const room = MAX_PROMPT_CHARACTERS - text.length - told.length - FRAME_CHARACTERS;
  const earlier = history.length === 0 || room < 0
    ? ""
    : section("earlier_conversation", retell(history, Math.min(room, MAX_HISTORY_CHARACTERS)));
  const parts = [told, earlier].filter((part) => part !== "");
  const prompt = [...parts, text].join("\n\n").toWellFormed();
  const length = countCharacters(prompt);
  if (length <= MAX_PROMPT_CHARACTERS) return prompt;
  throw new TurnError({
    kind: "invalid_request",
    message:
      `codex: the prompt has ${length} characters, at most ${MAX_PROMPT_CHARACTERS} are possible`,
    retryable: false,
    hint: "Shorten the message, or put its content into a file of the workspace.",
  });
}

const NO_TEXT: Failure = {
  kind: "invalid_request",
  message: "codex: no user text in request messages",
  retryable: false,
};

function section(name: string, content: string): string {
  return `<${name}>\n${content}\n</${name}>`;
}

/** The newest messages that fit, oldest first. */
function retell(history: readonly PastMessage[], room: number): string {
  const kept: string[] = [];
  for (const { role, text } of history.toReversed()) {
    const entry = `${role}: ${text}`;
    if (entry.length > room) {
      kept.push(`(${history.length - kept.length} earlier messages left out)`);
      break;
    }
    room -= entry.length;
    kept.push(entry);
  }
  return kept.reverse().join("\n\n");
}

/** Unicode characters, as codex counts them; `length` counts UTF-16 units. */
function countCharacters(text: string): number {
  if (text.length <= MAX_PROMPT_CHARACTERS) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/*
 * The host's `system` text, and how it reaches the model.
 *
 * `developer_instructions` go in when the thread starts and are frozen there (measured on 0.135 to
 * 0.169: changing or omitting them on a resume has no effect). Replacing codex's own base prompt
 * would be heard on every turn, but takes from the model what makes it codex. So what changed since,
 * or is too long for an argument, is said in the prompt, once.
 */

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
