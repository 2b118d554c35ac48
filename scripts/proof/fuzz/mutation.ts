/**
 * Captured runs and made-up lines as a starting point, and what can happen to bytes on the way.
 */
import { joinBytes } from "../../../base/lines.ts";
import * as fc from "fast-check";
import { basename, join } from "@std/path";
import { walkFiles } from "../../../tests/support/files.ts";
import { ROOT } from "../../project.ts";
import { bytesOf } from "./target.ts";

/** One thing that happens to some bytes; positions are taken modulo what is there. */
type Mutation =
  | { kind: "set"; at: number; byte: number }
  | { kind: "cut"; at: number; length: number }
  | { kind: "repeat"; at: number; length: number }
  | { kind: "insert"; at: number; token: Uint8Array }
  | { kind: "end"; at: number };

/** What breaks readers: line ends, quotes, half a character, marks, brackets. */
const TOKENS = [
  ...["\n", "\r\n", "\r", '"', "\\", "{", "}", "[", "]", ",", ":", " ", "\t", "\0", "null"],
  ...["\u2028", "\ufeff", "é", "\u{1F600}", "\\u0000", "\\ud83d", "1e999", "//", "/*", "*/"],
].map(bytesOf).concat(
  [[0xff], [0xc3], [0xe2, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f], [0x80]].map((bytes) =>
    Uint8Array.from(bytes)
  ),
);

const position = fc.nat(1 << 20);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), at: position, byte: fc.nat(255) }),
  fc.record({ kind: fc.constant("cut" as const), at: position, length: fc.nat(64) }),
  fc.record({ kind: fc.constant("repeat" as const), at: position, length: fc.nat(64) }),
  fc.record({
    kind: fc.constant("insert" as const),
    at: position,
    token: fc.constantFrom(...TOKENS),
  }),
  fc.record({ kind: fc.constant("end" as const), at: position }),
);

/** `base`, most of the time with something done to it. */
export function mutated(base: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(base, fc.array(mutation, { maxLength: 4 }))
    .map(([bytes, mutations]) => mutations.reduce(apply, bytes));
}

function apply(bytes: Uint8Array, mutation: Mutation): Uint8Array {
  const at = mutation.at % (bytes.length + 1);
  switch (mutation.kind) {
    case "set": {
      const changed = bytes.slice();
      if (at < changed.length) changed[at] = mutation.byte;
      return changed;
    }
    case "cut":
      return joinBytes([bytes.subarray(0, at), bytes.subarray(at + mutation.length)]);
    case "repeat":
      return joinBytes([bytes.subarray(0, at + mutation.length), bytes.subarray(at)]);
    case "insert":
      return joinBytes([bytes.subarray(0, at), mutation.token, bytes.subarray(at)]);
    case "end":
      // Often near the end: a torn last line is what a crash leaves.
      return bytes.slice(0, bytes.length - Math.min(mutation.at % 200, bytes.length));
  }
}

/** A few lines, with the line ends that come along. */
export function lines(line: fc.Arbitrary<string>, maxLength = 8): fc.Arbitrary<Uint8Array> {
  const end = fc.oneof(
    { weight: 20, arbitrary: fc.constant("\n") },
    { weight: 1, arbitrary: fc.constantFrom("\r\n", "\n\n", "", " \n", "\u2028\n") },
  );
  return fc.array(fc.tuple(line, end), { maxLength })
    .map((all) => bytesOf(all.flat().join("")));
}

/** Up to `maxLines` neighbouring lines of a captured file, each with `prefix` before it. */
export function captured(
  fileName: string,
  { maxLines = 12, prefix = "" }: { maxLines?: number; prefix?: string } = {},
): fc.Arbitrary<Uint8Array> {
  const files = capturedFiles(fileName);
  return fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: maxLines })).map(
    ([which, start, length]) => {
      const all = files[which % files.length] ?? [];
      const from = start % all.length;
      return bytesOf(all.slice(from, from + length).map((line) => `${prefix}${line}\n`).join(""));
    },
  );
}

function capturedFiles(fileName: string): string[][] {
  return [...walkFiles(join(ROOT, "tests", "fixtures"))]
    .filter((path) => basename(path) === fileName)
    .map((path) => Deno.readTextFileSync(path).split("\n").filter((line) => line !== ""))
    .filter((lines) => lines.length > 0);
}
