/**
 * An MCP server without tools: what codex gets from a relay that has no plugin behind it.
 *
 * Written by hand, because it answers four methods and must not make a codex that a person started
 * wait for a library. Unknown requests are refused as JSON-RPC says, notifications are ignored.
 *
 * @module
 */
import { decodeObject } from "../../base/json_object.ts";
import { LineSplitter } from "../../base/lines.ts";

/** Version that is offered to a client that names none. */
const PROTOCOL_VERSION = "2025-06-18";
const MESSAGE_MAX_BYTES = 1024 * 1024;

const encoder = new TextEncoder();

/** Answers the messages in the bytes it takes. */
export class EmptyServer {
  readonly #lines = new LineSplitter(MESSAGE_MAX_BYTES);
  readonly #write: (bytes: Uint8Array) => Promise<void>;

  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /** Takes bytes from the client; resolves when the answers are written. */
  async take(chunk: Uint8Array): Promise<void> {
    const answers: unknown[] = [];
    for (const line of this.#lines.push(chunk)) {
      const answer = line.overlong === undefined ? answerTo(line.bytes) : undefined;
      if (answer) answers.push(answer);
    }
    for (const answer of answers) {
      await this.#write(encoder.encode(JSON.stringify(answer) + "\n"));
    }
  }
}

function answerTo(line: Uint8Array): Record<string, unknown> | undefined {
  const request = decodeObject(line);
  if (typeof request?.method !== "string") return undefined;
  const { id, method } = request;
  if (typeof id !== "string" && typeof id !== "number") return undefined;
  switch (method) {
    case "initialize": {
      const asked = (request.params as { protocolVersion?: unknown } | undefined)?.protocolVersion;
      const protocolVersion = typeof asked === "string" ? asked : PROTOCOL_VERSION;
      const serverInfo = { name: "plexum-host", version: "0" };
      return result(id, { protocolVersion, capabilities: { tools: {} }, serverInfo });
    }
    case "ping":
      return result(id, {});
    case "tools/list":
      return result(id, { tools: [] });
    default:
      return { jsonrpc: "2.0", id, error: { code: -32601, message: "Method not found" } };
  }
}

function result(id: string | number, value: unknown): Record<string, unknown> {
  return { jsonrpc: "2.0", id, result: value };
}
