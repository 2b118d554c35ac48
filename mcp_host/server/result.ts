/**
 * A host's answer, made fit for codex: always a CallToolResult that codex can read, with everything in
 * it that the model is to see, never larger than agreed, and every part that needs no change as the
 * host wrote it.
 *
 * What codex does with a result decides what is done here (measured on 0.135.0 to 0.171.0,
 * docs/compatibility.md): it drops `content` where `structuredContent` is there; 0.135 to 0.137 take an
 * empty list for a failure; a message that is nested too deep is lost with its call;
 * pictures go to the model's service unseen, which refuses the whole request for a bad one; what is too
 * long is cut out of the middle without a word. The budget counts bytes of text, base64 and JSON as they
 * travel.
 *
 * @module
 */
import { isDeeper, isObject } from "../../base/json_object.ts";
import { decodeBase64, encodeBase64, lookAtPicture } from "../../base/picture.ts";
import { canonicalJson, RawJson } from "../../base/raw_json.ts";
import { failure, type HostToolResult } from "../host_tool.ts";

/** Nesting above which codex's parser gives up, less what stands around a part. */
const DEPTH_MAX = 100;

const encoder = new TextEncoder();

/** What a result must keep to. */
export interface ResultLimits {
  /** For all content together. */
  resultMaxBytes: number;
  /** This codex takes a result without content for a failure. */
  emptyResultFails: boolean;
}

/** Shapes whatever the host answered. */
export function shapeResult(answer: unknown, limits: ResultLimits): HostToolResult {
  const raw = answer instanceof RawJson ? answer : RawJson.of(answer ?? null);
  const value = raw.value;
  // A host may leave out the content, or write null for it.
  if (!isObject(value) || !Array.isArray(value.content ?? [])) {
    return failure(
      "The host answered this call with something that is not a tool result. " +
        "This is a fault of the host, not of the arguments.",
    );
  }
  const parts = raw.member("content")?.elements() ?? [];
  const key = ["structuredContent", "structured_content"].find((name) => isObject(value[name]));
  const structured = key === undefined ? undefined : raw.member(key);
  // codex shows the model one or the other, so both become content.
  if (structured && !isSaid(structured, parts)) {
    parts.push(RawJson.of({ type: "text", text: structured.text }));
  }
  if (parts.length === 0 && limits.emptyResultFails) {
    parts.push(RawJson.of({ type: "text", text: "" }));
  }
  const budget = { left: limits.resultMaxBytes, max: limits.resultMaxBytes };
  const result: HostToolResult = { content: parts.map((part) => shapePart(part, budget)) };
  if ((value.isError ?? value.is_error) === true) result.isError = true;
  if (isObject(value._meta) && isReadable(value._meta)) {
    result._meta = raw.member("_meta");
  }
  return result;
}

/** Whether one of the parts is a text that is the JSON of the structured content. */
function isSaid(structured: RawJson, parts: readonly RawJson[]): boolean {
  const wanted = canonicalOf(structured.text);
  return wanted !== undefined && parts.some((part) => {
    const value = part.value;
    if (!isObject(value) || value.type !== "text" || typeof value.text !== "string") return false;
    return canonicalOf(value.text) === wanted;
  });
}

/** `undefined` for what is no JSON, or nested too deep to be written again. */
function canonicalOf(text: string): string | undefined {
  try {
    return canonicalJson(text);
  } catch {
    return undefined;
  }
}

interface Budget {
  left: number;
  max: number;
}

/** One part as it goes to codex: as it came, or changed as little as can be. */
function shapePart(part: RawJson, budget: Budget): unknown {
  const value = part.value;
  if (!isObject(value) || !isReadable(value)) return shapeText(part.text, budget);
  switch (value.type) {
    case "text":
      if (typeof value.text !== "string") return shapeText(part.text, budget);
      return shapeText(value.text, budget, part, value);
    case "image":
      return shapeImage(part, value, budget);
    default:
      if (!isKnown(value)) return shapeText(part.text, budget);
      return whole(part, String(value.type), budget);
  }
}

/** A text part. `part` and `others` are what it came in, where it came as one. */
function shapeText(
  text: string,
  budget: Budget,
  part?: RawJson,
  others: Record<string, unknown> = { type: "text" },
): unknown {
  const cut = cutText(text, budget.left);
  budget.left -= cut.bytes;
  if (cut.missing === 0) return part ?? { ...others, text };
  const marker = `[… ${cut.missing} bytes cut: the limit for a result is ${budget.max} bytes]`;
  return { ...others, text: cut.text === "" ? marker : `${cut.text}\n${marker}` };
}

/** A picture, with the media type and the base64 that its bytes ask for, or why it is none. */
function shapeImage(part: RawJson, value: Record<string, unknown>, budget: Budget): unknown {
  const { data, mimeType } = value;
  const bytes = typeof data === "string" ? decodeBase64(data) : undefined;
  const picture = bytes ? lookAtPicture(bytes) : { fault: "is not base64" };
  if (bytes === undefined || picture.fault !== undefined) {
    return note(`an image was left out: the host's picture ${picture.fault}`);
  }
  const base64 = encodeBase64(bytes);
  const asItShould = base64 === data && picture.mediaType === mimeType;
  const good = asItShould
    ? part
    : RawJson.of({ ...value, data: base64, mimeType: picture.mediaType });
  return whole(good, "image", budget);
}

/** A part that is shown whole or not at all. */
function whole(part: RawJson, kind: string, budget: Budget): unknown {
  const size = byteLength(part.text);
  if (size > budget.left) {
    return note(`${kind} of ${size} bytes left out: the limit is ${budget.max} bytes`);
  }
  budget.left -= size;
  return part;
}

/** Whether it is a well-formed part of the other kinds; anything else is passed on as JSON text. */
function isKnown(part: Record<string, unknown>): boolean {
  switch (part.type) {
    case "audio":
      return typeof part.mimeType === "string" && isBase64(part.data);
    case "resource_link":
      return typeof part.uri === "string" && typeof part.name === "string";
    case "resource": {
      const inner = part.resource;
      if (!isObject(inner) || typeof inner.uri !== "string") return false;
      return typeof inner.text === "string" || isBase64(inner.blob);
    }
    default:
      return false;
  }
}

function isBase64(value: unknown): boolean {
  return typeof value === "string" && decodeBase64(value) !== undefined;
}

/** Whether codex's parser takes it: not too deep, and no number beyond what a double holds. */
function isReadable(value: unknown): boolean {
  return !isDeeper(value, DEPTH_MAX) && everyNumberIsFinite(value);
}

function everyNumberIsFinite(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(everyNumberIsFinite);
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
  return encoder.encode(text).length;
}

function note(text: string): { type: "text"; text: string } {
  return { type: "text", text: `[${text}]` };
}
