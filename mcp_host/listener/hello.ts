/**
 * The private wire between the relay (`mcp-host`, started by codex) and the bridge (in the plugin).
 *
 * Both ends are this executable, so the wire is as small as it can be. The relay connects to the
 * bridge's unix socket and sends one line, the hello:
 *
 *     {"plexum_mcp":2,"agent_id":"cx","token":"…","pid":4711}
 *
 * The bridge answers with one line and, where it refuses, closes:
 *
 *     {"plexum_mcp":2,"admitted":true,"proof":"/run/…/1f9c…"}
 *     {"plexum_mcp":2,"admitted":false,"reason":"…"}
 *
 * Where a `proof` is named, the relay opens that file and keeps it open (`peer_proof.ts` says why).
 *
 * Everything before and after these two lines is MCP, newline-delimited JSON, passed on unread. The
 * relay does not wait for the answer before it sends what codex says: the round trip would lie on
 * the path that codex waits for. It keeps those first bytes until the answer is there, because a
 * refused relay has to answer them itself.
 *
 * @module
 */
import { decodeObject } from "../../base/json_object.ts";

/** Version of this wire; both ends are one build, so a difference means two builds are mixed. */
export const LINK_VERSION = 2;
/** Longest hello, newline included. A stranger who sends more without a newline is cut off. */
export const HELLO_MAX_BYTES = 4096;
/** Longest answer, newline included. */
export const ANSWER_MAX_BYTES = 4096;

/** What the relay says about itself. */
export interface Hello {
  version: number;
  agentId: string;
  token: string;
  /** The relay's process, by its own word. */
  pid: number;
}

/** What the bridge answers. `reason` is for people and names no secret. */
export type Answer = { admitted: true; proof?: string | undefined } | {
  admitted: false;
  reason: string;
};

const encoder = new TextEncoder();

/** The hello as bytes. Throws a RangeError where the agent id makes it too long. */
export function encodeHello(agentId: string, token: string, pid: number): Uint8Array {
  const line = { plexum_mcp: LINK_VERSION, agent_id: agentId, token, pid };
  const bytes = encoder.encode(JSON.stringify(line) + "\n");
  if (bytes.length > HELLO_MAX_BYTES) {
    throw new RangeError(
      `Cannot greet the plugin: the agent id makes the hello ${bytes.length} bytes long, ` +
        `the limit is ${HELLO_MAX_BYTES}`,
    );
  }
  return bytes;
}

/** The hello in a line without its newline, or `undefined` where the line is none. */
export function decodeHello(line: Uint8Array): Hello | undefined {
  const value = decodeObject(line);
  if (typeof value?.plexum_mcp !== "number") return undefined;
  if (typeof value.agent_id !== "string" || typeof value.token !== "string") return undefined;
  const { plexum_mcp: version, agent_id: agentId, token } = value;
  return { version, agentId, token, pid: typeof value.pid === "number" ? value.pid : 0 };
}

/** The answer as bytes; a long reason is cut so that the line keeps its bound. */
export function encodeAnswer(answer: Answer): Uint8Array {
  const said = answer.admitted ? answer : { ...answer, reason: answer.reason.slice(0, 500) };
  return encoder.encode(JSON.stringify({ plexum_mcp: LINK_VERSION, ...said }) + "\n");
}

/** The answer in a line without its newline, or `undefined` where the line is none. */
export function decodeAnswer(line: Uint8Array): Answer | undefined {
  const value = decodeObject(line);
  if (value?.plexum_mcp !== LINK_VERSION) return undefined;
  if (value.admitted === true) {
    return { admitted: true, proof: typeof value.proof === "string" ? value.proof : undefined };
  }
  return { admitted: false, reason: typeof value.reason === "string" ? value.reason : "no reason" };
}
