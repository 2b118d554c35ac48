import { strict as assert } from "node:assert";
import { isDeeper } from "../../base/json_object.ts";

const nested = (depth: number, open: string, close: string): unknown =>
  JSON.parse(`${open.repeat(depth)}1${close.repeat(depth)}`);

Deno.test("isDeeper counts lists and objects, and the deepest of them", () => {
  for (const value of [1, "[[[", null, undefined]) assert.equal(isDeeper(value, 0), false);
  for (const [open, close] of [["[", "]"], ['{"a":', "}"], ['[0,{"a":', "},[]]"]] as const) {
    const levels = open.startsWith("[0") ? 2 : 1;
    const value = nested(10, open, close);
    assert.equal(isDeeper(value, 10 * levels), false, open);
    assert.equal(isDeeper(value, 10 * levels - 1), true, open);
  }
});

Deno.test("isDeeper needs no stack for a depth that no stack would hold", () => {
  const value = nested(1_000_000, "[", "]");
  assert.equal(isDeeper(value, 1000), true);
  assert.equal(isDeeper(value, 1_000_000), false);
});
