/**
 * Consumes that could not be done yet, because a codex was writing the thread.
 *
 * One file per thread, replaced as a whole; the last op for a call id counts. It also names the codex
 * home, so that what is pending can be applied without the agent that asked for it.
 *
 * @module
 */

import { type ConsumeOp, isConsumeOp } from "./splice.ts";
import { readOwnFile } from "../../base/open_file.ts";
import { type Disk, removeDurably, writeDurably } from "../../base/durable.ts";

/** What is to be done to a thread as soon as nobody writes it. */
export interface Pending {
  codexHome: string;
  rolloutPath?: string;
  ops: Map<string, ConsumeOp>;
}

/** Reads what is pending; `undefined` where nothing is. Throws SyntaxError where the file is broken. */
export function readPending(path: string): Pending | undefined {
  let text: string;
  try {
    text = new TextDecoder().decode(readOwnFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const stored: unknown = JSON.parse(text);
  if (!isStored(stored)) throw new SyntaxError(`Cannot read ${path}: it lists no mutations`);
  const { codexHome, rolloutPath, mutations } = stored;
  const ops = new Map(mutations.flatMap(([id, op]) => isConsumeOp(op) ? [[id, op]] : []));
  return { codexHome, ops, ...(rolloutPath === undefined ? {} : { rolloutPath }) };
}

/** Remembers durably what is pending; nothing pending removes the file. */
export async function writePending(path: string, pending: Pending, disk: Disk): Promise<void> {
  if (pending.ops.size === 0) return await removeDurably(path, disk);
  const { codexHome, rolloutPath, ops } = pending;
  const stored = { version: 1, codexHome, rolloutPath, mutations: [...ops] };
  await writeDurably(path, new TextEncoder().encode(JSON.stringify(stored) + "\n"), disk);
}

interface Stored {
  codexHome: string;
  rolloutPath?: string;
  mutations: [id: string, op: string][];
}

function isStored(value: unknown): value is Stored {
  if (typeof value !== "object" || value === null) return false;
  if (!("codexHome" in value) || typeof value.codexHome !== "string") return false;
  if (!("mutations" in value) || !Array.isArray(value.mutations)) return false;
  if ("rolloutPath" in value && typeof value.rolloutPath !== "string") return false;
  return value.mutations.every((entry) =>
    Array.isArray(entry) && typeof entry[0] === "string" && typeof entry[1] === "string"
  );
}
