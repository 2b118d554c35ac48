/**
 * The calls of one turn: pairs records of calls, of how they went, and of their outputs.
 *
 * Pure: records in, what they mean for the host out. A call id is announced once; each recorded output
 * becomes one result. Where one call may record several outputs they are numbered by `part`: always for
 * code mode's `exec` (what a script `notify()`s is recorded after its end: 0.150, 0.169), else from the
 * second output on, so that a plain result carries no part and one without a part is part 0.
 *
 * @module
 */

import { type ContextUse, tellsFailure, type Usage } from "./records/events.ts";
import type { RolloutRecord, TurnContextRecord } from "./records/records.ts";

/** What a line of the rollout means for the turn. */
export type Followed =
  /** The model called a tool. `arguments` is the recorded text, JSON or not. */
  | { type: "call"; id: string; name: string; namespace?: string; arguments: string }
  /** An output was recorded for a call, as the model sees it. */
  | {
    type: "result";
    id: string;
    output: string | unknown[];
    isError: boolean;
    part?: number;
  }
  /** The model said something, in its place among the calls. */
  | { type: "message"; text: string; phase?: string | undefined }
  | { type: "thought"; text: string }
  /** Tokens: `total` of the thread so far, `last` of the latest model request. */
  | { type: "usage"; total: Usage; last: Usage; context?: ContextUse; limitsReset?: number[] }
  /** When the account's limits reset, in seconds since 1970. */
  | { type: "limits"; limitsReset: number[] }
  /** What counts for the turn: the last one before a tool runs is the turn's own. */
  | ({ type: "turn_context" } & Omit<TurnContextRecord, "kind">)
  /** The model started another agent, whose thread and rollout are its own. */
  | { type: "sub_agent"; threadId: string }
  | { type: "turn_aborted"; reason?: string }
  | { type: "task_complete"; lastAgentMessage?: string }
  /** The turn failed. `info` is codex's own error kind where it gave one. */
  | { type: "error"; message: string; info?: unknown }
  | { type: "compacted" };

/** What the model is told about a call that has no output; so is the host. */
const ABORTED = "aborted";

interface OpenCall {
  name: string;
  manyOutputs: boolean;
  outputs: number;
  failed: boolean | undefined;
}

/** Collects one turn's records in the order of the file. */
export class TurnCalls {
  readonly #calls = new Map<string, OpenCall>();
  readonly #subAgents = new Set<string>();

  /** What `record` means; often nothing. */
  take(record: RolloutRecord): Followed[] {
    switch (record.kind) {
      case "call": {
        if (this.#calls.has(record.id)) return [];
        const manyOutputs = record.form === "custom_tool_call" && record.name === "exec";
        this.#calls.set(record.id, {
          name: record.name,
          manyOutputs,
          outputs: 0,
          failed: undefined,
        });
        const { kind: _kind, form: _form, ...call } = record;
        return [{ type: "call", ...call }];
      }
      case "outcome": {
        const call = this.#calls.get(record.id);
        if (call !== undefined) call.failed = record.failed;
        return [];
      }
      case "output":
        return [...this.#output(record.id, record.output), ...this.#spawned(record)];
      case "sub_agent":
        return this.#subAgent(record.threadId);
      case "message":
        return [{ type: "message", text: record.text, phase: record.phase }];
      case "thought":
        return [{ type: "thought", text: record.text }];
      case "usage": {
        const { kind: type, ...rest } = record;
        return [{ type, ...rest }];
      }
      case "limits":
        return [{ type: "limits", limitsReset: record.limitsReset }];
      case "turn_context": {
        const { kind: type, ...rest } = record;
        return [{ type, ...rest }];
      }
      case "turn_aborted": {
        const { kind: type, ...rest } = record;
        return [{ type, ...rest }];
      }
      case "task_complete": {
        const { kind: type, error, ...rest } = record;
        const complete: Followed = { type, ...rest };
        return error === undefined ? [complete] : [{ type: "error", ...error }, complete];
      }
      case "error":
        return [{ type: "error", message: record.message, info: record.info }];
      case "compacted":
        return [{ type: "compacted" }];
      case "session_meta":
      case "task_started":
      case "other":
      case "broken":
        return [];
    }
  }

  /** A result for every call that has none: the turn is over, nobody will answer it any more. */
  close(): Followed[] {
    const unanswered = [...this.#calls].filter(([, call]) => call.outputs === 0);
    return unanswered.flatMap(([id]) => this.#output(id, ABORTED));
  }

  /** Up to 0.146 only the call's own output names the new agent. */
  #spawned({ id, output }: { id: string; output: string | unknown[] }): Followed[] {
    if (this.#calls.get(id)?.name !== "spawn_agent" || typeof output !== "string") return [];
    const agent = /"agent_id":"([0-9a-f-]{36})"/.exec(output)?.[1];
    return agent === undefined ? [] : this.#subAgent(agent);
  }

  #subAgent(threadId: string): Followed[] {
    if (this.#subAgents.has(threadId)) return [];
    this.#subAgents.add(threadId);
    return [{ type: "sub_agent", threadId }];
  }

  #output(id: string, output: string | unknown[]): Followed[] {
    const call = this.#calls.get(id);
    // The call stands in an earlier turn, which is over; what was recorded is told all the same.
    if (call === undefined) {
      return [{ type: "result", id, output, isError: tellsFailure(output, false) }];
    }
    const part = call.outputs++;
    const isError = call.failed === true || tellsFailure(output, call.failed !== undefined);
    return [{
      type: "result",
      id,
      output,
      isError,
      ...(call.manyOutputs || part > 0 ? { part } : {}),
    }];
  }
}
