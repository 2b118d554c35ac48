/**
 * What the agents that a turn's model started have used: each has a thread and a rollout of its own.
 *
 * @module
 */

import { openOwnFile } from "../base/files.ts";
import { Slices } from "../base/timer.ts";
import { isThreadId, locateRollout } from "./locate.ts";
import type { Usage } from "./records/events.ts";
import { kindOf } from "./records/line_kind.ts";
import { decodeRecord } from "./records/records.ts";
import { scanLines } from "./scan.ts";
import { TurnCalls } from "./turn_calls.ts";

/** One sub-agent. */
export interface SubAgent {
  threadId: string;
  /** Tokens of its whole thread; `undefined` where it recorded none. */
  usage: Usage | undefined;
  /** Tool calls that it made. */
  calls: number;
}

/** No turn has use for more; whoever starts agents without end is not followed for ever. */
const MOST = 256;

/**
 * The agents with these threads and those that they started in turn, as far as their rollouts are there.
 */
export async function readSubAgents(
  codexHome: string,
  threadIds: Iterable<string>,
): Promise<SubAgent[]> {
  const agents: SubAgent[] = [];
  const known = new Set(threadIds);
  for (const threadId of known) { // grows meanwhile
    if (agents.length >= MOST) break;
    if (!isThreadId(threadId)) continue;
    const located = await locateRollout(codexHome, threadId, undefined, "its days");
    if (located.kind !== "found") continue;
    const { agent, started } = await readSubAgent(located.path, threadId);
    agents.push(agent);
    for (const id of started) known.add(id);
  }
  return agents;
}

async function readSubAgent(
  path: string,
  threadId: string,
): Promise<{ agent: SubAgent; started: string[] }> {
  using rollout = openOwnFile(path);
  const slices = new Slices();
  const agent: SubAgent = { threadId, usage: undefined, calls: 0 };
  const turn = new TurnCalls();
  let started: string[] = [];
  for (const line of scanLines(rollout.file)) {
    if (slices.due) await slices.next();
    if (line.overlong || kindOf(line.bytes) === "other") continue;
    const record = decodeRecord(line.bytes);
    // A fork begins with its parent's history, without the token counts: only then its own turn starts.
    if (record.kind === "task_started" && agent.usage === undefined) {
      agent.calls = 0;
      started = [];
    }
    for (const followed of turn.take(record)) {
      if (followed.type === "call") agent.calls++;
      if (followed.type === "usage") agent.usage = followed.total;
      if (followed.type === "sub_agent") started.push(followed.threadId);
    }
  }
  return { agent, started };
}
