import { strict as assert } from "node:assert";
import fc from "fast-check";
import { clip, isShortage, MAX_TEXT_BYTES } from "../../base/error_message.ts";

const bytes = (text: string): number => new TextEncoder().encode(text).length;

Deno.test("clip leaves a short text alone", () => {
  const text = "é".repeat(MAX_TEXT_BYTES / 2);
  assert.equal(clip(text), text);
});

Deno.test("clip keeps the beginning or the end, and shows the cut", () => {
  const text = "a".repeat(3000) + "z";
  assert.equal(clip(text), "a".repeat(MAX_TEXT_BYTES - 3) + "…");
  assert.equal(clip(text, true), "…" + "a".repeat(MAX_TEXT_BYTES - 4) + "z");
});

Deno.test("clip never exceeds the bound and never cuts a character", () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "é", "€", "😀"),
    minLength: 500,
    maxLength: 3000,
  });
  fc.assert(fc.property(text, fc.boolean(), (text, fromEnd) => {
    const clipped = clip(text, fromEnd);
    assert.ok(bytes(clipped) <= MAX_TEXT_BYTES);
    const part = clipped.replace("…", "");
    assert.ok(fromEnd ? text.endsWith(part) : text.startsWith(part));
    assert.ok(clipped === text || bytes(clipped) > MAX_TEXT_BYTES - 8);
  }));
});

Deno.test("isShortage knows what passes by itself", () => {
  for (const code of [11, 12, 23, 24]) assert.ok(isShortage(new Error(`x (os error ${code})`)));
  for (const code of [1, 2, 13, 28, 111]) assert.ok(!isShortage(`x (os error ${code})`));
});
