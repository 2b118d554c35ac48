/**
 * Which way codex is run.
 *
 * @module
 */
import type { CodexBinary } from "./codex/codex_binary.ts";
import { execTransport } from "./exec/run.ts";
import type { Transport } from "./transport.ts";
import type { TurnSettings } from "./turn_request.ts";

/** The way for one turn. */
export function transportFor(_settings: TurnSettings, _codex: CodexBinary): Transport {
  return execTransport;
}
