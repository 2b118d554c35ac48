/**
 * A stand-in for the model API, on loopback, that says what a script tells it to.
 *
 * It speaks as much of the Responses API as codex uses (server-sent events), so a real codex runs
 * real turns against it without login or network: in the demo, in the deep check of an
 * installation, and in the tests. Every POST to …/responses takes the next step whose `when` fits;
 * when none is left, the `fallback` answers. What goes wrong in a script is answered with HTTP 500
 * and thrown again by `close()`: a broken script cannot pass for a model that answered.
 * How codex is pointed at it: `provider.ts`.
 */
import type { HttpRequest } from "./http_request.ts";
import { type HttpReply, serveLoopback } from "./http_server.ts";
import { playStep, problem } from "./exchange.ts";
import { type ModelRequest, parseRequest, type ReceivedRequest } from "./request.ts";
import { checkStep, type ScriptedStep, type Step } from "./step.ts";

/** The running server. */
export interface ScriptedModel extends AsyncDisposable {
  /** Base URL for codex: `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  /** Everything received, in order, also on other routes. */
  readonly requests: readonly ReceivedRequest[];
  /** The bodies of POST /responses alone: what the model was asked. */
  readonly asked: readonly ModelRequest[];
  /** How many steps are still in the queue. */
  readonly pending: number;
  /** Replaces the queue (and the fallback, when given). */
  setSteps(steps: ScriptedStep[], fallback?: ScriptedStep): void;
  pushStep(step: ScriptedStep): void;
  /** Resolves with the n-th (from 1) question to the model; rejects when the server closes first. */
  received(n: number): Promise<ModelRequest>;
  /** Stops; throws what went wrong in the script since the start. */
  close(): Promise<void>;
}

/** What the model starts with. `fallback` answers when no step is left: `{ text: "ok" }`. */
export interface ScriptedModelOptions {
  steps?: ScriptedStep[];
  fallback?: ScriptedStep;
}

/** Starts a model on a free port of 127.0.0.1. Throws TypeError for a step that is not one. */
export function startScriptedModel(options: ScriptedModelOptions = {}): ScriptedModel {
  let fallback = checkStep(options.fallback ?? { text: "ok" });
  let queue = (options.steps ?? []).map(checkStep);
  let serial = 0;
  const newId = (prefix: string) => `${prefix}_scripted_${String(++serial).padStart(4, "0")}`;
  const requests: ReceivedRequest[] = [];
  const asked: ModelRequest[] = [];
  const waiting = new Set<{ n: number; resolve(r: ModelRequest): void; reject(e: Error): void }>();
  const faults: unknown[] = [];

  const route = async (request: HttpRequest, reply: HttpReply): Promise<void> => {
    const received = record(request, requests.length + 1);
    requests.push(received);
    const path = new URL(request.path, "http://loopback").pathname;
    const name = `${request.method} ${path.slice(path.lastIndexOf("/") + 1)}`;
    if (name === "POST responses") {
      const body = received.body = parseRequest(request.body);
      return await playStep(await takeStep(body), { model: body.model, newId }, reply);
    }
    // Remote compaction of an OpenAI provider (up to 0.146): user messages and one opaque item.
    if (name === "POST compact") {
      return await reply.json(200, compacted(parseRequest(request.body)));
    }
    // The built-in provider asks for a WebSocket first; 426 makes codex use plain events at once.
    if (name === "GET responses") return await reply.json(426, problem("no WebSocket here"));
    if (name === "GET models") {
      return await reply.json(200, { object: "list", data: [], models: [] });
    }
    await reply.json(404, problem(`no route for ${request.method} ${path}`));
  };

  const takeStep = async (body: ModelRequest): Promise<Step> => {
    asked.push(body);
    for (const waiter of waiting) {
      if (waiter.n <= asked.length) waiting.delete(waiter) && waiter.resolve(body);
    }
    const text = JSON.stringify(body);
    const at = queue.findIndex((step) => step.when === undefined || text.includes(step.when));
    let step = queue[at] ?? fallback;
    if (at >= 0 && !step.repeat) queue.splice(at, 1);
    while (step.answer) step = checkStep(await step.answer(body));
    return step;
  };

  const server = serveLoopback(async (request, reply) => {
    try {
      await route(request, reply);
    } catch (error) {
      if (reply.signal.aborted) return; // the client left in the middle of a pause
      faults.push(error);
      if (!reply.begun) await reply.json(500, problem(String(error)));
    }
  });

  const close = async (): Promise<void> => {
    const early = new Error(`scripted model: closed after ${asked.length} questions`);
    for (const waiter of waiting) waiter.reject(early);
    waiting.clear();
    await server.close();
    const thrown = faults.splice(0);
    if (thrown.length === 1) throw thrown[0];
    if (thrown.length > 1) throw new AggregateError(thrown, "scripted model: broken script");
  };

  return {
    url: `http://127.0.0.1:${server.port}/v1`,
    requests,
    asked,
    get pending() {
      return queue.length;
    },
    setSteps(steps, otherwise) {
      queue = steps.map(checkStep);
      if (otherwise) fallback = checkStep(otherwise);
    },
    pushStep(step) {
      queue.push(checkStep(step));
    },
    received(n) {
      const past = asked[n - 1];
      if (past) return Promise.resolve(past);
      return new Promise((resolve, reject) => waiting.add({ n, resolve, reject }));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function record(request: HttpRequest, n: number): ReceivedRequest {
  const headers = Object.fromEntries(request.headers);
  if (headers["authorization"]) headers["authorization"] = "<redacted>";
  return { n, method: request.method, path: request.path, headers };
}

function compacted({ input }: ModelRequest): { output: unknown[] } {
  const kept = input.filter((item) => item.type === "message" && item.role === "user");
  return { output: [...kept, { type: "compaction", encrypted_content: "c2NyaXB0ZWQ=" }] };
}
