import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { searchString, wideMemory } from "../../base/wide_memory.ts";
import { searchPlainly } from "../../rollout/report/recorded_value.ts";

/** Bytes that matter to a JSON string, more often than they come by chance. */
const TELLING = Array.from(
  '"\\\\\\unr/x0aF9dD8é\n\x7f ',
  (letter) => new TextEncoder().encode(letter),
);

Deno.test("searchString finds in wide memory what a look at each byte finds", () => {
  const memory = wideMemory();
  assert.ok(memory !== undefined, "V8 has SIMD on all machines this runs on");
  const piece = fc.oneof(
    { arbitrary: fc.constantFrom(...TELLING), weight: 3 },
    { arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }).map(encode), weight: 1 },
    fc.string({ unit: "binary" }).map((text) => encode(JSON.stringify(text))),
    fc.constantFrom("\\u00e9", "\\ud83d\\ude42", "\\u0007", "\\u20aC", "\\ud800").map(encode),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.nat(20), (pieces, before) => {
      const line = Uint8Array.from(pieces.flatMap((bytes) => [...bytes]));
      memory.bytes.fill(0x22, 0, before + line.length + 40); // what is outside must not be found
      memory.bytes.set(line, before);
      const part = memory.bytes.subarray(before, before + line.length);
      const [found, plain] = [searchString(part, 0), searchPlainly(line, 0)];
      assert.deepEqual([found?.quote, found?.isBroken], [plain.quote, plain.isBroken]);
      if (!plain.isBroken) assert.deepEqual(found, plain);
    }),
    { numRuns: 2000 },
  );
  assert.equal(searchString(new Uint8Array(4), 0), undefined);
});

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
