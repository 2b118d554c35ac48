import { strict as assert } from "node:assert";
import fc from "fast-check";
import { LineSplitter } from "../../base/lines.ts";

const text = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

Deno.test("LineSplitter gives the same lines however the bytes are cut", () => {
  const byte = fc.oneof(fc.constant(10), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.array(byte), (cuts, tail) => {
      const chunks = [...cuts, Uint8Array.from(tail)];
      const whole = chunks.map(text).join("");
      const splitter = new LineSplitter(1000);
      const lines = chunks.flatMap((chunk) =>
        [...splitter.push(chunk)].map((line) => "bytes" in line ? text(line.bytes) : "overlong")
      );
      const rest = splitter.end();
      const expected = whole.split("\n");
      const last = expected.pop();
      assert.deepEqual(lines, expected);
      assert.equal(rest && "bytes" in rest ? text(rest.bytes) : "", last);
    }),
  );
});

Deno.test("LineSplitter names a line over its limit and goes on with the next", () => {
  const splitter = new LineSplitter(4);
  const lines = ["ab", "cdef\nok\n12345\n", "1234\n"].flatMap((chunk) =>
    [...splitter.push(new TextEncoder().encode(chunk))]
      .map((line) => "bytes" in line ? text(line.bytes) : line.overlong)
  );
  assert.deepEqual(lines, [6, "ok", 5, "1234"]);
});
