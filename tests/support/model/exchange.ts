/**
 * One step, played to one client: the pauses, cuts and silences of a script happen here.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { HttpReply } from "./http_server.ts";
import type { SseEvent } from "./items.ts";
import { type ResponseContext, responseEvents } from "./response.ts";
import type { Step } from "./step.ts";

/** The shape in which the API reports an error. */
export function problem(what: string): { error: { message: string } } {
  return { error: { message: `scripted model: ${what}` } };
}

/** Answers one POST /responses. Rejects when the client leaves in the middle of a pause. */
export async function playStep(
  step: Step,
  context: ResponseContext,
  reply: HttpReply,
): Promise<void> {
  const { signal } = reply;
  if (step.delayMs) await pause(step.delayMs, undefined, { signal });
  if (step.stall) return await gone(signal);
  if (step.status !== undefined) {
    const body = step.body ?? (step.error ? { error: step.error } : problem(`${step.status}`));
    return await reply.json(step.status, body, step.headers);
  }
  const { opening, closing } = responseEvents(step, context);
  await reply.begin(200, { "content-type": "text/event-stream", ...step.headers });
  if (step.raw !== undefined) {
    await reply.write(step.raw);
    return await reply.end();
  }
  let sent = 0;
  const send = async ([type, data]: SseEvent): Promise<void> => {
    const json = JSON.stringify({ type, sequence_number: sent, ...data });
    await reply.write(`event: ${type}\ndata: ${json}\n\n`);
    sent += 1;
    if (sent === step.cutAfterEvents) reply.cut();
  };
  for (const event of opening) {
    await send(event);
    if (signal.aborted) return;
    if (step.chunkDelayMs && event[0].endsWith(".delta")) {
      await pause(step.chunkDelayMs, undefined, { signal });
    }
  }
  if (step.hang) return await gone(signal);
  if (step.hold) await Promise.race([step.hold, gone(signal)]);
  if (closing) await send(closing);
  await reply.end();
}

/** Resolves when the client has hung up or the server closes. */
function gone(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}
