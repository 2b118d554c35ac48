/**
 * What a fuzz target is: where its cases come from, and what running one of them checks.
 *
 * A case is bytes, whatever it stands for, so that any failure can be kept as a file and run again.
 * Everything a run does follows from its bytes: how a stream is cut into chunks, which calls are
 * consumed. There is no other chance in it.
 */
import { strict as assert } from "node:assert";
import { Buffer } from "node:buffer";
import type * as fc from "fast-check";
import { random } from "../series.ts";

/** Something that reads bytes which nobody vouches for. */
export interface Target {
  cases: fc.Arbitrary<Uint8Array>;
  /** Prepares runs in an empty directory of their own, outside of which nothing is written. */
  open(directory: string): Promise<Runner> | Runner;
}

/** Runs cases, one after the other; none may change what a later one sees. */
export interface Runner {
  /** Throws (or rejects) where the code under test did what it must not do. */
  run(bytes: Uint8Array): Promise<void> | void;
  close?(): Promise<void>;
}

/** A target before it is loaded: what they test takes a second to load, so each is only where it runs. */
export interface TargetEntry {
  name: string;
  /** How many of its cases stand for one of the others: expensive targets get fewer. */
  share: number;
  load(): Promise<Target>;
}

/** In the order of the table. */
export const TARGETS: readonly TargetEntry[] = [
  { name: "host", share: 3, load: async () => (await import("./host_frames.ts")).hostFrames },
  {
    name: "executable",
    share: 0.02,
    load: async () => (await import("./executable_frames.ts")).executableFrames,
  },
  { name: "codex", share: 4, load: async () => (await import("./codex_lines.ts")).codexLines },
  { name: "server", share: 4, load: async () => (await import("./server_lines.ts")).serverLines },
  {
    name: "rollout",
    share: 2,
    load: async () => (await import("./rollout_bytes.ts")).rolloutBytes,
  },
  { name: "consume", share: 1, load: async () => (await import("./consume.ts")).consume },
  { name: "link", share: 1, load: async () => (await import("./mcp_link.ts")).mcpLink },
  { name: "config", share: 4, load: async () => (await import("./config_text.ts")).configText },
];

/** A number that follows from the bytes alone (FNV-1a). */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Draws numbers below a bound, the same ones for the same seed. */
export function dice(seed: number): (bound: number) => number {
  const draw = random(seed);
  return (bound) => Math.floor(draw() * bound);
}

/** The bytes as a stream brings them: in pieces, at places that follow from the bytes. */
export function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  const draw = dice(hashOf(bytes));
  // A long case byte by byte is only slow.
  const shortest = Math.ceil(bytes.length / 2000);
  const longest = Math.max(shortest, [1, 7, 64, 4096, bytes.length + 1][draw(5)] ?? 1);
  for (let at = 0; at < bytes.length;) {
    const length = 1 + draw(longest);
    // A copy: a view of the whole would hide reads beyond the chunk.
    yield bytes.slice(at, at + length);
    at += length;
  }
}

/** Throws AssertionError unless both are the same; `deepEqual` takes half a second for 200 kB. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, message: string): void {
  if (Buffer.compare(actual, expected) !== 0) assert.deepEqual(actual, expected, message);
}

const encoder = new TextEncoder();

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** What a worker says. */
export type Report =
  | { kind: "ready"; kept: number }
  | { kind: "progress"; cases: number }
  | { kind: "failure"; case: string; message: string };

/** The file with the number of the case (u32), its length (u32) and its bytes. */
export const CURRENT = "current";

const channel = new MessageChannel();
let wake = () => {};
channel.port1.onmessage = () => wake();

/** One turn of the event loop. One caller at a time. */
export function tick(): Promise<void> {
  return new Promise((resolve) => {
    wake = resolve;
    channel.port2.postMessage(0);
  });
}

/** No more ticks: the channel would keep the program alive. */
export function stopTicking(): void {
  channel.port1.close();
}
