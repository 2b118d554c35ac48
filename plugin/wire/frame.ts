/**
 * One line of a JSON-RPC 2.0 stream → what it is. Pure; nothing that a sender can write makes it
 * throw.
 *
 * @module
 */
import { errorMessage } from "../../base/error_message.ts";
import { isObject } from "../../base/json_object.ts";
import { isDeeper } from "../../base/nesting.ts";
import { CODE, MAX_DEPTH } from "../protocol.ts";
import { RpcError } from "./rpc_error.ts";
import { found } from "./shape_error.ts";

/** A request's id, as its sender chose it. */
export type RequestId = string | number;

/** What a line is. */
export type Frame =
  | { type: "request"; id: RequestId; method: string; params: unknown }
  | { type: "notification"; method: string; params: unknown }
  | { type: "response"; id: unknown; result: unknown; error?: undefined }
  | { type: "response"; id: unknown; error: RpcError }
  /** Whitespace only. */
  | { type: "blank" }
  /** To be answered with this error; `id` is `null` where the frame gave none that can be used. */
  | { type: "broken"; id: RequestId | null; error: RpcError };

/** A byte order mark before the first frame is taken off, as RFC 8259 allows. */
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads a line without its newline. */
export function decodeFrame(bytes: Uint8Array): Frame {
  let value: unknown;
  try {
    const text = decoder.decode(bytes);
    if (text.trim() === "") return { type: "blank" };
    value = JSON.parse(text);
  } catch (error) {
    const message = `cannot parse frame of ${bytes.length} bytes: ${errorMessage(error)}`;
    return { type: "broken", id: null, error: new RpcError(CODE.parse, message) };
  }
  if (Array.isArray(value)) {
    return invalid(null, "batches are not supported: send one object per line");
  }
  if (!isObject(value)) {
    return invalid(null, `a frame must be a JSON object, found ${found(value)}`);
  }
  return frameOf(value);
}

/** The id, where it is one that can be sent back as it came. */
export function requestId(value: unknown): RequestId | undefined {
  if (typeof value === "string") return value;
  // JSON.parse rounds larger numbers: an answer would carry an id that nobody asked with.
  return typeof value === "number" && Math.abs(value) <= Number.MAX_SAFE_INTEGER
    ? value
    : undefined;
}

function frameOf(value: Record<string, unknown>): Frame {
  const { method, params, result, error } = value;
  const id = requestId(value.id);
  if (typeof method === "string") {
    if (!("id" in value)) return { type: "notification", method, params };
    if (id !== undefined) return { type: "request", id, method, params };
    return invalid(null, `an id must be text or a number up to 2^53, found ${found(value.id)}`);
  }
  // Some libraries write `"error": null` beside a result.
  if (error !== undefined && error !== null) {
    return { type: "response", id: value.id, error: answeredError(error) };
  }
  if ("result" in value) {
    if (!isDeeper(result, MAX_DEPTH)) return { type: "response", id: value.id, result };
    const message = `the answer is nested more than ${MAX_DEPTH} levels deep`;
    return { type: "response", id: value.id, error: new RpcError(CODE.internal, message) };
  }
  return invalid(id ?? null, "a frame needs a method, a result or an error");
}

function answeredError(error: unknown): RpcError {
  const { code, message, data } = isObject(error) ? error : {};
  return new RpcError(
    typeof code === "number" ? code : CODE.internal,
    typeof message === "string" ? message : "error without a message",
    isDeeper(data, MAX_DEPTH) ? undefined : data,
  );
}

function invalid(id: RequestId | null, message: string): Frame {
  return { type: "broken", id, error: new RpcError(CODE.invalidRequest, message) };
}
