import { strict as assert } from "node:assert";
import { divide } from "../../../scripts/proof/fuzz.ts";
import { shrink } from "../../../scripts/proof/fuzz/supervisor.ts";
import { bytesOf, chunksOf, TARGETS } from "../../../scripts/proof/fuzz/target.ts";

Deno.test("shrink() leaves what the failure needs, and nothing else", async () => {
  const fails = (bytes: Uint8Array) =>
    Promise.resolve(bytes.includes(0x7b) && bytes.at(-1) === 0x0a);
  const small = await shrink(bytesOf(`some text { and more of it\nand a line\n`), fails);
  assert.deepEqual(small, bytesOf("{\n"));
});

Deno.test("chunksOf() gives the bytes, cut in the same places each time", () => {
  for (const text of ["", "a", "many words in a row ".repeat(50)]) {
    const once = [...chunksOf(bytesOf(text))];
    assert.deepEqual([...chunksOf(bytesOf(text))], once);
    assert.deepEqual(bytesOf(text), Uint8Array.from(once.flatMap((chunk) => [...chunk])));
  }
});

Deno.test("divide() gives out at least as many cases as were asked for", () => {
  const shares = divide(1_000_000, TARGETS);
  const sum = [...shares.values()].reduce((a, b) => a + b);
  assert.ok(sum >= 1_000_000 && sum < 1_000_000 + TARGETS.length);
});
