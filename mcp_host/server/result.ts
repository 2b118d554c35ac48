/**
 * A host's answer, made fit for codex: always a valid CallToolResult, never larger than agreed.
 *
 * codex cuts what is too long out of the middle without a word to the host, so the cut is made here
 * and says how much is missing. The budget counts bytes of text, base64 and JSON as they travel.
 *
 * @module
 */
import { failure, type HostToolResult } from "../host_tool.ts";
import { isObject } from "../../base/json_object.ts";

const encoder = new TextEncoder();

/** Shapes whatever the host answered; `maxBytes` bounds all content together. */
export function shapeResult(answer: unknown, maxBytes: number): HostToolResult {
  if (!isObject(answer) || !Array.isArray(answer.content)) {
    return failure(
      "The host answered this call with something that is no tool result (no content list). " +
        "This is a fault of the host, not of the arguments.",
    );
  }
  const budget = { left: maxBytes };
  const result: HostToolResult = { content: [] };
  if (answer.isError === true) result.isError = true;
  if (isObject(answer._meta)) result._meta = answer._meta;
  const notes: unknown[] = [];
  if (isObject(answer.structuredContent)) {
    const size = byteLength(JSON.stringify(answer.structuredContent));
    if (size <= maxBytes) result.structuredContent = answer.structuredContent;
    else notes.push(note(`structured content of ${size} bytes left out: the limit is ${maxBytes}`));
  }
  for (const part of answer.content) result.content.push(...shapePart(part, budget, maxBytes));
  result.content.push(...notes);
  return result;
}

function shapePart(part: unknown, budget: { left: number }, maxBytes: number): unknown[] {
  const kind = kindOf(part);
  if (kind === "text") {
    const { text, ...others } = part as { text: string };
    const cut = cutText(text, budget.left);
    budget.left -= Math.min(budget.left, cut.bytes);
    if (cut.missing === 0) return [part];
    const marker = `[… ${cut.missing} bytes cut: the limit for a result is ${maxBytes} bytes]`;
    return [{ ...others, text: cut.text === "" ? marker : `${cut.text}\n${marker}` }];
  }
  const json = JSON.stringify(part) ?? "null";
  const size = byteLength(json);
  if (size > budget.left) {
    return [note(`${kind ?? "content"} of ${size} bytes left out: the limit is ${maxBytes} bytes`)];
  }
  budget.left -= size;
  return [kind === undefined ? { type: "text", text: json } : part];
}

/** The kind of a well-formed content part; anything else is passed on as JSON text. */
function kindOf(part: unknown): string | undefined {
  if (!isObject(part)) return undefined;
  switch (part.type) {
    case "text":
      return typeof part.text === "string" ? "text" : undefined;
    case "image":
    case "audio":
      return typeof part.mimeType === "string" && isBase64(part.data) ? part.type : undefined;
    case "resource_link":
      return typeof part.uri === "string" && typeof part.name === "string" ? part.type : undefined;
    case "resource": {
      const inner = part.resource;
      if (!isObject(inner) || typeof inner.uri !== "string") return undefined;
      return typeof inner.text === "string" || isBase64(inner.blob) ? part.type : undefined;
    }
    default:
      return undefined;
  }
}

function isBase64(value: unknown): boolean {
  if (typeof value !== "string") return false;
  try {
    atob(value);
    return true;
  } catch {
    return false;
  }
}

/** As much of `text` as fits into `maxBytes` of UTF-8, and how many bytes are missing. */
function cutText(text: string, maxBytes: number): { text: string; bytes: number; missing: number } {
  const total = byteLength(text);
  if (total <= maxBytes) return { text, bytes: total, missing: 0 };
  // encodeInto never splits a character.
  const { read, written } = encoder.encodeInto(text, new Uint8Array(maxBytes));
  return { text: text.slice(0, read), bytes: written, missing: total - written };
}

function byteLength(text: string): number {
  // A UTF-16 unit takes at most three bytes; short texts need no copy to be known as short.
  return encoder.encode(text).length;
}

function note(text: string): { type: "text"; text: string } {
  return { type: "text", text: `[${text}]` };
}
