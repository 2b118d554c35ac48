/**
 * From what the app-server notifies to what codex said, for one turn. Pure: a small state machine that
 * knows which turn it is and which items were begun.
 *
 * @module
 */
import { phaseOf, type Usage } from "../../rollout/records/events.ts";
import type { CodexEvent } from "../transport.ts";
import {
  httpStatusOf,
  infoAsRecorded,
  type NoticeParams,
  paramsOf,
  PART_BREAK,
  resetOf,
  summaryText,
  usageOf,
  warningIn,
} from "./wire.ts";

const ALIVE: CodexEvent = { type: "alive" };

/** What says nothing to a turn, and is no news: tools are told by the rollout. */
const SILENT =
  /^(?:thread|account|mcpServer|serverRequest|remoteControl|hook|model|app|skills|fs|turn|item)\//;

/** Items whose text is told in pieces. */
type Told = "agentMessage" | "reasoning";

/** Begun and not completed. */
interface OpenItem {
  id: string;
  /** As the item's beginning names it; its pieces do not. */
  phase: string | undefined;
  /** Pieces of it were told. */
  told: boolean;
  part: number;
}

/** Items that cannot have started a process. */
const HARMLESS = new Set(["userMessage", "agentMessage", "reasoning", "plan"]);

/** How a turn ended. */
export type TurnStatus = "completed" | "failed" | "interrupted";

/** Reads the notifications of one turn of one thread. */
export class TurnWire {
  /** Set by `turn/completed`. */
  status: TurnStatus | undefined;
  /** Set by `turn/started`: from here on an interrupt is heard. */
  turnId: string | undefined;
  /** codex tries again what cannot succeed: it is not logged in. */
  hopeless: CodexEvent | undefined;
  readonly threadId: string;
  /**
   * Turns that run beside this one, each with its thread: of agents that the model started. They end
   * by themselves, not with this turn, so they are heard of also when it is over.
   */
  readonly others = new Map<string, string>();
  /** The threads of all others that there were. */
  readonly agents = new Set<string>();
  readonly #open = new Map<Told, OpenItem>();
  #usage: Usage | undefined;
  #requests = 0;
  #risky = false;
  #resetsAt: number | undefined;

  constructor(threadId: string) {
    this.threadId = threadId;
  }

  /**
   * Whether the turn cannot have started a process: codex asked the model once, and whoever calls a
   * tool has to be told its result by a second request.
   */
  get isQuiet(): boolean {
    return this.status === "completed" && this.#requests === 1 && !this.#risky;
  }

  /** What a notification means; nothing where it concerns another turn or thread. */
  take(method: string, unread: unknown): CodexEvent[] {
    const params = paramsOf(unread);
    if (typeof params === "string") return [{ type: "broken", reason: `${method}: ${params}` }];
    if (!this.#isOurs(params)) {
      this.#risky = true;
      this.#other(method, params);
      return [ALIVE];
    }
    if (this.status !== undefined) return [];
    switch (method) {
      case "turn/started":
        this.turnId ??= params.turn?.id;
        return [{ type: "turn_started" }];
      case "item/started":
        return this.#started(params.item);
      case "item/agentMessage/delta":
        return this.#piece("agentMessage", params);
      case "item/reasoning/summaryTextDelta":
        return this.#piece("reasoning", params);
      case "item/completed":
        return this.#completed(params.item);
      case "thread/tokenUsage/updated":
        return this.#used(params);
      case "account/rateLimits/updated":
        this.#resetsAt = resetOf(params) ?? this.#resetsAt;
        return [];
      case "error":
        return this.#error(params);
      case "turn/plan/updated":
        return [{ type: "plan", steps: stepsOf(params) }];
      case "turn/completed":
        return this.#ended(params);
      default: {
        if (method.startsWith("hook/")) this.#risky = true; // A hook is a program.
        const message = warningIn(method, params);
        if (message !== undefined) return [{ type: "warning", message }];
        return SILENT.test(method) ? [ALIVE] : [{ type: "unknown", name: method }];
      }
    }
  }

  #isOurs({ threadId, turnId, turn }: NoticeParams): boolean {
    const about = turnId ?? turn?.id;
    if (typeof threadId === "string" && threadId !== this.threadId) return false;
    return about === undefined || this.turnId === undefined || about === this.turnId;
  }

  #other(method: string, { threadId, turn }: NoticeParams): void {
    if (typeof threadId !== "string" || turn === undefined) return;
    if (method === "turn/completed") this.others.delete(turn.id);
    if (method !== "turn/started") return;
    this.others.set(turn.id, threadId);
    this.agents.add(threadId);
  }

  #started(item: NoticeParams["item"]): CodexEvent[] {
    if (item === undefined) return [{ type: "broken", reason: "item/started without item" }];
    if (!HARMLESS.has(item.type)) this.#risky = true;
    if (!isTold(item.type)) return [ALIVE];
    const retracted = this.#retract(item.type);
    this.#open.set(item.type, { id: item.id, phase: phaseOf(item), told: false, part: 0 });
    return [...retracted, ALIVE];
  }

  #piece(kind: Told, { itemId = "", delta = "", summaryIndex = 0 }: NoticeParams): CodexEvent[] {
    let open = this.#open.get(kind);
    const retracted = open !== undefined && open.id !== itemId ? this.#retract(kind) : [];
    if (open === undefined || open.id !== itemId) {
      open = { id: itemId, phase: undefined, told: false, part: 0 };
      this.#open.set(kind, open);
    }
    const breaks = PART_BREAK.repeat(Math.max(0, Math.min(summaryIndex - open.part, 1)));
    open.part = summaryIndex;
    if (delta === "") return [ALIVE];
    open.told = true;
    const piece = { item: itemId, text: breaks + delta };
    return [
      ...retracted,
      kind === "agentMessage"
        ? { type: "message_delta", ...piece, phase: open.phase }
        : { type: "reasoning_delta", ...piece },
    ];
  }

  #completed(item: NoticeParams["item"]): CodexEvent[] {
    if (item === undefined) return [{ type: "broken", reason: "item/completed without item" }];
    const { id, type, text = "", summary, query } = item;
    if (!HARMLESS.has(type)) this.#risky = true;
    if (isTold(type) && this.#open.get(type)?.id === id) this.#open.delete(type);
    switch (type) {
      case "agentMessage":
        return [{ type: "message", item: id, text, phase: phaseOf(item) }];
      case "reasoning": {
        const whole = summaryText(summary);
        return whole === "" ? [ALIVE] : [{ type: "reasoning", item: id, text: whole }];
      }
      case "webSearch":
        return [{ type: "web_search", query: query ?? "" }];
      default:
        return [ALIVE];
    }
  }

  #used(params: NoticeParams): CodexEvent[] {
    this.#requests++;
    this.#usage = usageOf(params) ?? this.#usage;
    const { last, modelContextWindow: window } = params.tokenUsage ?? {};
    if (last === undefined || typeof window !== "number") return [ALIVE];
    return [{ type: "context", used: last.totalTokens, window }];
  }

  #error({ error, willRetry }: NoticeParams): CodexEvent[] {
    this.#risky = true;
    const { message, codexErrorInfo, additionalDetails } =
      typeof error === "object" && error !== null
        ? error
        : { message: error ?? "codex gave no message" };
    // The turn's own end says it again.
    if (willRetry !== true) return [ALIVE];
    const info = infoAsRecorded(codexErrorInfo);
    const whole = additionalDetails ? `${message} (${additionalDetails})` : message;
    if (httpStatusOf(codexErrorInfo) === 401) {
      this.hopeless ??= { type: "turn_failed", message: additionalDetails ?? message, info };
    }
    // The first of a series follows on a connection that stood.
    const reconnecting = /^Reconnecting\.\.\. (?!1\/)/.test(message);
    return [{ type: "notice", message: whole, reconnecting, info }];
  }

  #ended({ turn }: NoticeParams): CodexEvent[] {
    switch (turn?.status) {
      case "completed":
        this.status = "completed";
        return [
          ...this.#retract("agentMessage"),
          ...this.#retract("reasoning"),
          { type: "turn_completed", usage: this.#usage },
        ];
      case "interrupted":
        this.status = "interrupted";
        return [{ type: "turn_failed", message: "the turn was interrupted" }];
      default: {
        this.status = "failed";
        const { message = `turn/completed says ${turn?.status}`, codexErrorInfo } = turn?.error ??
          {};
        return [{
          type: "turn_failed",
          message,
          info: infoAsRecorded(codexErrorInfo),
          resetsAt: this.#resetsAt,
        }];
      }
    }
  }

  /** An item of that kind comes, or none any more: the one that is open will not be completed. */
  #retract(kind: Told): CodexEvent[] {
    const open = this.#open.get(kind);
    this.#open.delete(kind);
    return open?.told ? [{ type: "retracted", item: open.id }] : [];
  }
}

function isTold(type: string): type is Told {
  return type === "agentMessage" || type === "reasoning";
}

function stepsOf({ plan = [] }: NoticeParams): { text: string; completed: boolean }[] {
  return plan.map(({ step, status }) => ({ text: step, completed: status === "completed" }));
}
