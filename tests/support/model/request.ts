/**
 * A request as codex sends it to the model, and the questions a script asks of it: what the user
 * said, what a tool answered, which tools the model was offered.
 */

/** One entry of `input`: a message, a call, the output of a call, … */
export interface InputItem {
  type: string;
  role?: string;
  content?: unknown;
  call_id?: string;
  output?: unknown;
  arguments?: string;
  [field: string]: unknown;
}

/** The JSON body of POST /responses. */
export interface ModelRequest {
  model: string;
  input: InputItem[];
  instructions?: string;
  tools?: { type: string; name?: string; [field: string]: unknown }[];
  [field: string]: unknown;
}

/** Everything that was received, in order. `authorization` is redacted. */
export interface ReceivedRequest {
  /** Counts from 1. */
  n: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  /** Only POST /responses has one. */
  body?: ModelRequest;
}

/** Decodes a body; throws SyntaxError or TypeError when it is not a request to a model. */
export function parseRequest(body: Uint8Array): ModelRequest {
  const value: ModelRequest | null = JSON.parse(new TextDecoder().decode(body));
  if (typeof value?.model !== "string" || !Array.isArray(value.input)) {
    throw new TypeError("scripted model: a request must have `model` and a list `input`");
  }
  return value;
}

/** The texts of the user's messages, oldest first (codex's own environment notes included). */
export function userTexts(request: ModelRequest): string[] {
  return request.input.filter((item) => item.type === "message" && item.role === "user")
    .map((item) => textOf(item.content));
}

/** The texts that the model itself said earlier in this thread, oldest first. */
export function assistantTexts(request: ModelRequest): string[] {
  return request.input.filter((item) => item.type === "message" && item.role === "assistant")
    .map((item) => textOf(item.content));
}

/** What the tool call `callId` answered, as text; undefined when the request does not hold it. */
export function callOutput(request: ModelRequest, callId: string): string | undefined {
  const found = request.input.filter((item) =>
    item.call_id === callId && "output" in item && item.type.endsWith("_output")
  );
  return found.length === 0 ? undefined : found.map((item) => textOf(item.output)).join("");
}

/** A string as it is; of a content array the texts of its parts. */
function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: unknown) =>
    typeof part === "object" && part !== null && "text" in part && typeof part.text === "string"
      ? part.text
      : ""
  ).join("");
}
