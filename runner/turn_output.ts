/**
 * From what codex prints and records to what the turn tells: a pure state machine. Events go in one
 * by one, turn events come out; at the end it knows what is needed to judge the turn.
 *
 * @module
 */
import { canonicalJson, type RawJson } from "../base/raw_json.ts";
import type { Followed } from "../rollout/follow.ts";
import type { ContextUse, Usage } from "../rollout/records/events.ts";
import { addUsage, sameUsage } from "./thread/usage.ts";
import { Notices, type Told, ToldOnce } from "./told_once.ts";
import type { CodexEvent } from "./transport.ts";
import type { TurnEvent } from "./turn_event.ts";

/** codex's last word on the turn. */
export type Terminal =
  | { type: "completed"; usage: Usage | undefined }
  | { type: "failed"; message: string };

/** Maps a recorded call to the host's own tool name; `undefined` when it is none of the host's. */
export type HostName = (namespace: string | undefined, name: string) => string | undefined;

/** So many unknown types are told apart; whoever makes up new ones must not fill the memory. */
const UNKNOWN_TYPES = 50;
const UNKNOWN_NAME_CHARACTERS = 100;

/** The calls of code mode, in which the model's script runs. */
const SCRIPTS = new Set(["exec", "wait"]);

/** A call that is not answered yet. */
interface OpenCall {
  /** The host's own tool name, where it is one of the host's. */
  hostName: string | undefined;
  /** It runs a script, whose calls are not recorded. */
  isScript: boolean;
  arguments: string;
  claimed: boolean;
}

/** What one turn has told so far. */
export class TurnOutput {
  terminal: Terminal | undefined;
  /** codex's own name for the error, if the rollout has it or codex said it. */
  errorInfo: unknown;
  /** The model's context after its latest request. */
  context: ContextUse | undefined;
  errorMessage: string | undefined;
  /** The rollout says that the turn was ended before it was done. */
  aborted = false;
  /** Whether the turn, which is over as the rollout says, has an answer. */
  answered: boolean | undefined;
  /** When the account's limits reset, in seconds since 1970. */
  readonly limitsReset: number[] = [];
  /** When the one that is used up does, as codex said at the turn's end. */
  limitOpens: number | undefined;
  /** The thread's total as it was recorded last, and the sum of the requests that moved it. */
  readonly recorded: { total: Usage; last: Usage }[] = [];
  /** Threads of the agents that the model started. */
  readonly subAgents = new Set<string>();
  /** Calls without a result so far, oldest first. */
  readonly openCalls = new Map<string, OpenCall>();
  /** Lines that could not be decoded. */
  broken = 0;
  /** Types this plugin does not know, and how often they came. */
  readonly unknown = new Map<string, number>();
  readonly #notices = new Notices();
  #spoke = false;
  readonly #texts = new ToldOnce();
  readonly #thoughts = new ToldOnce();
  readonly #hostName: HostName;

  constructor(hostName: HostName) {
    this.#hostName = hostName;
  }

  /** The last thing that codex said in passing. */
  get lastNotice(): string | undefined {
    return this.#notices.last;
  }

  /** Whether a script of the model's runs. */
  get runsScript(): boolean {
    return this.openCalls.values().some(({ isScript }) => isScript);
  }

  /** The turn is completed, and its last response had no word for anybody. */
  get silent(): boolean {
    return this.terminal?.type === "completed" && !(this.answered ?? this.#spoke);
  }

  /** What codex said means. `thread_started` is the caller's. */
  take(event: CodexEvent): TurnEvent[] {
    switch (event.type) {
      case "notice":
        return statuses(this.#notices.notice(event.message));
      case "warning":
        return statuses(this.#notices.warning(event.message), { level: "warning" });
      case "turn_failed":
        this.terminal ??= { type: "failed", message: event.message };
        this.errorInfo = event.info ?? this.errorInfo;
        this.limitOpens = event.resetsAt;
        if (event.resetsAt !== undefined) this.limitsReset.push(event.resetsAt);
        return statuses(this.#notices.failed(event.message));
    }
    const events = this.#said(event);
    const isEnd = event.type === "turn_completed";
    return isEnd || events.length > 0 ? [...statuses(this.#notices.flush()), ...events] : events;
  }

  /** Nothing is said or recorded any more: what is left to tell. */
  finish(): TurnEvent[] {
    return statuses(
      this.errorMessage === undefined
        ? this.#notices.flush()
        : this.#notices.failed(this.errorMessage),
    );
  }

  #said(event: Exclude<CodexEvent, { type: "notice" | "warning" | "turn_failed" }>): TurnEvent[] {
    switch (event.type) {
      case "message_delta":
        return this.#spoken(this.#texts.delta(event.item, event.text, event.phase));
      case "message":
        return this.#spoken(this.#texts.said(event.item, event.text, event.phase));
      case "reasoning_delta":
        return thoughts(this.#thoughts.delta(event.item, event.text));
      case "reasoning":
        return thoughts(this.#thoughts.said(event.item, event.text));
      case "retracted":
        return [
          ...this.#spoken(this.#texts.retract(event.item)),
          ...thoughts(this.#thoughts.retract(event.item)),
        ];
      case "context":
        this.context = { used: event.used, window: event.window };
        return [];
      case "plan": {
        const done = event.steps.filter(({ completed }) => completed).length;
        const message = `plan: ${done} of ${event.steps.length} done`;
        return [{ type: "status", message, data: { plan: event.steps } }];
      }
      case "web_search":
        return [{ type: "status", message: `web search: ${event.query}` }];
      case "turn_completed":
        this.terminal ??= { type: "completed", usage: event.usage };
        return [];
      case "unknown":
        this.#countUnknown(event.name);
        return [];
      case "broken":
        return this.#brokenLine(event.reason);
      case "thread_started":
      case "turn_started":
      case "alive":
        return [];
    }
  }

  /** What a record of the rollout means. */
  follow(followed: Followed): TurnEvent[] {
    if ("limitsReset" in followed) this.limitsReset.push(...followed.limitsReset ?? []);
    switch (followed.type) {
      case "call": {
        const { id, namespace } = followed;
        const hostName = this.#hostName(namespace, followed.name);
        const isScript = namespace === undefined && SCRIPTS.has(followed.name);
        this.openCalls.set(id, {
          ...{ hostName, isScript },
          arguments: followed.arguments,
          claimed: false,
        });
        return [
          {
            type: "tool_call_start",
            id,
            name: hostName ?? followed.name,
            source: hostName === undefined ? "codex" : "host",
            namespace,
          },
          { type: "tool_call_end", id, arguments: followed.arguments },
        ];
      }
      case "result": {
        this.openCalls.delete(followed.id);
        const { type: _type, isError, ...result } = followed;
        return [{ type: "tool_result", ...result, is_error: isError }];
      }
      case "message":
        return this.#spoken(this.#texts.recorded(followed.text, followed.phase));
      case "thought":
        return thoughts(this.#thoughts.recorded(followed.text));
      case "usage":
        this.#count(followed.total, followed.last);
        this.context = followed.context ?? this.context;
        return [];
      case "limits":
      case "turn_context":
        return [];
      case "sub_agent":
        this.subAgents.add(followed.threadId);
        return [];
      case "turn_aborted":
        this.aborted = true;
        return [];
      case "task_complete":
        // Up to 0.150 a failed turn is completed, too, without a word of its failure.
        this.answered = followed.lastAgentMessage !== undefined;
        return [];
      case "error":
        this.errorMessage = followed.message;
        this.errorInfo = followed.info;
        return [];
      case "compacted":
        return [{ type: "status", message: "codex compacted the conversation" }];
    }
  }

  /**
   * The id of a host tool call that is about to run: `callId`, where codex gave it (0.148 and
   * later), else the oldest open call of that name and those arguments that was not claimed yet.
   */
  claim(call: { callId?: string; name: string; arguments: RawJson }): string | undefined {
    if (call.callId !== undefined) return call.callId;
    const candidates = [...this.openCalls]
      .filter(([, open]) => !open.claimed && open.hostName === call.name);
    // codex 0.135 rounds large numbers on their way to us, so digits need not be the same.
    for (const same of [sameJson, sameValue]) {
      for (const [id, open] of candidates) {
        if (!same(open.arguments, call.arguments.text)) continue;
        open.claimed = true;
        return id;
      }
    }
    return undefined;
  }

  #spoken(told: Told[]): TurnEvent[] {
    if (told.some((piece) => "text" in piece)) this.#spoke = true;
    return texts(told);
  }

  /** One entry, however many there were: what {@link turnUsage} makes of them is the same. */
  #count(total: Usage, last: Usage): void {
    const [before] = this.recorded;
    if (before !== undefined && sameUsage(before.total, total)) return;
    this.recorded[0] = { total, last: before === undefined ? last : addUsage(before.last, last) };
  }

  #countUnknown(type: string): void {
    const name = type.slice(0, UNKNOWN_NAME_CHARACTERS);
    const room = this.unknown.has(name) || this.unknown.size < UNKNOWN_TYPES;
    const key = room ? name : "others";
    this.unknown.set(key, (this.unknown.get(key) ?? 0) + 1);
  }

  #brokenLine(reason: string): TurnEvent[] {
    this.broken++;
    if (this.broken > 1) return [];
    return [{
      type: "status",
      message: `codex printed a line that cannot be read: ${reason}`,
      data: { level: "warning" },
    }];
  }
}

function statuses(messages: string[], data?: Record<string, unknown>): TurnEvent[] {
  return messages.map((message) => ({ type: "status", message, ...(data && { data }) }));
}

function texts(told: Told[]): TurnEvent[] {
  return told.map((piece) => {
    if ("retracted" in piece) return { type: "text_retracted", index: piece.retracted };
    const { index, text, phase, first } = piece;
    return { type: "text_delta", index, text: first && index > 0 ? `\n\n${text}` : text, phase };
  });
}

/** The wire has no word for a thought that is void. */
function thoughts(told: Told[]): TurnEvent[] {
  return told.flatMap((piece) =>
    "retracted" in piece
      ? []
      : [{ type: "thinking_delta", index: piece.index, text: piece.text } as const]
  );
}

/** Whether two texts say the same, digit by digit. */
function sameJson(a: string, b: string): boolean {
  try {
    return canonicalJson(a) === canonicalJson(b);
  } catch {
    return false;
  }
}

/** Whether two texts mean the same to JavaScript. */
function sameValue(a: string, b: string): boolean {
  try {
    return sameJson(JSON.stringify(JSON.parse(a)), JSON.stringify(JSON.parse(b)));
  } catch {
    return false;
  }
}
