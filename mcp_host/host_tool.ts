/**
 * The words this folder shares with whoever owns the tools: what a host tool is, what a call of one
 * asks for, and what it answers. The shapes are MCP's, but nothing here loads an MCP library.
 *
 * @module
 */
import type { RawJson } from "../base/raw_json.ts";

/** A tool as the host offers it for one turn. Unknown fields are ignored. */
export interface HostTool {
  /** The host's own name. It reaches the model unchanged where codex can carry it. */
  name: string;
  title?: string;
  description?: string;
  /** JSON Schema of the arguments, an object schema. Absent means "any object". */
  inputSchema?: unknown;
  /** MCP annotations. `readOnlyHint: true` declares the tool safe to run beside others. */
  annotations?: Record<string, unknown>;
}

/** One call, as it is handed to the host. */
export interface HostToolCall {
  /** codex's own call id; codex 0.148 and later send it, older versions do not. */
  callId?: string;
  /** The thread that calls, the turn's or a sub-agent's; every codex sends it. */
  threadId?: string;
  /** The host's own name of the tool, never the mapped one. */
  name: string;
  /** An object, as codex wrote it. */
  arguments: RawJson;
  /** Aborts when codex drops the call, the time is up or the turn ends. */
  signal: AbortSignal;
}

/** What a call answers: an MCP CallToolResult. */
export interface HostToolResult {
  content: unknown[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
  _meta?: unknown;
}

/** A result as a value, or as the host wrote it. */
export type HostToolAnswer = HostToolResult | RawJson;

/** An answer that tells the model what went wrong and what it can do about it. */
export function failure(text: string): HostToolResult {
  return { content: [{ type: "text", text }], isError: true };
}
