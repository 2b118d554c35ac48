import { strict as assert } from "node:assert";
import fc from "fast-check";
import { Tail } from "../../base/tail.ts";

Deno.test("Tail keeps the last bytes, whatever the chunks", () => {
  fc.assert(fc.property(fc.array(fc.string({ maxLength: 30 })), fc.nat(40), (chunks, limit) => {
    const encoder = new TextEncoder();
    const tail = new Tail(limit);
    for (const chunk of chunks) tail.push(encoder.encode(chunk));
    const all = encoder.encode(chunks.join(""));
    const last = all.subarray(Math.max(0, all.length - limit));
    assert.equal(tail.text(), new TextDecoder().decode(last));
  }));
});
