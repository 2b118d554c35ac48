/**
 * Running host tools for codex: one `ToolCalls` per bridge, whatever connection a call comes by.
 *
 * A call always ends in a result the model can read. Unknown tool, arguments that do not fit, a
 * host that fails, is gone or takes too long: each is an `isError` result that says what to do.
 *
 * @module
 */
import type { Timer } from "../../base/timer.ts";
import {
  failure,
  type HostToolAnswer,
  type HostToolCall,
  type HostToolResult,
} from "../host_tool.ts";
import type { Catalogue } from "./catalogue.ts";
import type { ToolCall } from "./mcp_server.ts";
import { shapeResult } from "./result.ts";

/** Calls that may be under way or waiting at the same time. */
export const CALLS_MAX = 256;

/** What calls depend on. */
export interface ToolCallsOptions {
  catalogue: Catalogue;
  /** Who runs calls now; nobody between turns. */
  handler: () => ((call: HostToolCall) => Promise<HostToolAnswer>) | undefined;
  /** What is wrong with arguments, or `undefined`. */
  fault: (schema: Record<string, unknown>, args: unknown) => Promise<string | undefined>;
  /** Upper bound for a call's run, and once more for its wait behind other calls. */
  toolTimeoutMs: number;
  resultMaxBytes: number;
  /** This codex takes a result without content for a failure. */
  emptyResultFails: boolean;
  timer: Timer;
}

/** Takes calls and answers them. */
export class ToolCalls {
  readonly #options: ToolCallsOptions;
  readonly #queue = new ReadWriteQueue();
  readonly #running = new Set<AbortController>();

  constructor(options: ToolCallsOptions) {
    this.#options = options;
  }

  /** Aborts every call under way. */
  abort(reason: string): void {
    for (const controller of this.#running) controller.abort(new Error(reason));
  }

  /** Answers a call. Never rejects. */
  async run(
    { name, callId, threadId, signal, arguments: args }: ToolCall,
  ): Promise<HostToolResult> {
    const { catalogue, handler, fault: faultOf } = this.#options;
    if (!handler()) return failure("No turn is under way: this call was not run.");
    const entry = catalogue.find(name);
    if (!entry) return failure(unknownTool(name, catalogue));
    const fault = await faultOf(entry.schema, args.value);
    if (fault) {
      return failure(`Invalid arguments for ${name}: ${fault}. Correct them and call again.`);
    }
    if (this.#running.size >= CALLS_MAX) {
      return failure(
        `${CALLS_MAX} calls are under way already. Wait for some to end, then call again.`,
      );
    }
    const call: HostToolCall = { name: entry.hostName, arguments: args, signal };
    if (callId !== undefined) call.callId = callId;
    if (threadId !== undefined) call.threadId = threadId;
    return await this.#bounded(call, name, entry.shared);
  }

  /** Waits in the queue and runs the call, each no longer than allowed. */
  async #bounded(call: HostToolCall, codexName: string, shared: boolean): Promise<HostToolResult> {
    const { timer, toolTimeoutMs } = this.#options;
    const controller = new AbortController();
    const dropped = call.signal;
    const abort = () => controller.abort(dropped.reason);
    if (dropped.aborted) abort();
    else dropped.addEventListener("abort", abort, { once: true });
    this.#running.add(controller);
    const place = this.#queue.enter(shared);
    const ended = whenAborted(controller.signal);
    const limit = (what: string) =>
      timer(toolTimeoutMs, () => controller.abort(new Error(`${what} ${seconds(toolTimeoutMs)}`)));
    let stop = limit("it waited behind other calls for");
    try {
      await Promise.race([place.ready, ended.promise]);
      stop();
      controller.signal.throwIfAborted();
      stop = limit("the host did not answer within");
      const run = this.#options.handler();
      if (!run) throw new Error("the turn ended");
      const answer = run({ ...call, signal: controller.signal });
      // The host may answer an aborted call late or never; nobody listens then.
      answer.catch(() => {});
      return shapeResult(await Promise.race([answer, ended.promise]), this.#options);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return failure(
        `The tool ${codexName} did not complete: ${why.slice(0, 2000)}. ` +
          `Its effects, if any, are unknown; check before calling it again.`,
      );
    } finally {
      stop();
      ended.forget();
      dropped.removeEventListener("abort", abort);
      this.#running.delete(controller);
      place.leave();
    }
  }
}

/**
 * Who may run beside whom: calls of tools that only read run together, any other call has the host to
 * itself, and nobody overtakes. codex is told that calls may run in parallel and sends them all at
 * once; the order of the model's calls is the order in which they arrive here.
 */
class ReadWriteQueue {
  #writes: Promise<void> = Promise.resolve();
  #reads: Promise<void>[] = [];

  /** Takes a place; `ready` resolves when it is one's turn, `leave` gives the place up. */
  enter(reads: boolean): { ready: Promise<void>; leave: () => void } {
    const { promise: done, resolve: leave } = Promise.withResolvers<void>();
    if (reads) {
      this.#reads.push(done);
      done.then(() => {
        this.#reads = this.#reads.filter((other) => other !== done);
      });
      return { ready: this.#writes, leave };
    }
    const ready = Promise.all([this.#writes, ...this.#reads]).then(() => {});
    // Whoever comes later waits for this one too, and this one may leave before it was ready.
    this.#writes = Promise.all([ready, done]).then(() => {});
    this.#reads = [];
    return { ready, leave };
  }
}

/** A promise that rejects with the reason once the signal aborts. */
function whenAborted(signal: AbortSignal): { promise: Promise<never>; forget: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const fire = () => reject(signal.reason);
  if (signal.aborted) fire();
  else signal.addEventListener("abort", fire, { once: true });
  return { promise, forget: () => signal.removeEventListener("abort", fire) };
}

function unknownTool(name: string, catalogue: Catalogue): string {
  const known = catalogue.listed.slice(0, 50).map((tool) => tool.name).join(", ");
  return `Unknown tool ${JSON.stringify(name.slice(0, 200))}. The tools of this turn: ${
    known || "none"
  }.`;
}

function seconds(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`;
}
