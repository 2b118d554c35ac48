import { strict as assert } from "node:assert";
import fc from "fast-check";
import { shapeResult } from "../../../mcp_host/server/result.ts";

const bytes = (text: string) => new TextEncoder().encode(text).length;

Deno.test("result passes on whole what fits", () => {
  const answer = {
    content: [
      { type: "text", text: "hi", annotations: { audience: ["user"] } },
      { type: "image", mimeType: "image/png", data: "aGk=" },
      { type: "resource_link", uri: "file:///x", name: "x" },
      { type: "resource", resource: { uri: "file:///x", text: "y" } },
    ],
    structuredContent: { a: 1 },
    isError: true,
    _meta: { k: "v" },
  };
  assert.deepEqual(shapeResult(answer, 10_000), answer);
});

Deno.test("result text is cut at a character, and says how much is missing", () => {
  fc.assert(fc.property(
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.nat({ max: 300 }),
    (text, max) => {
      const [part] = shapeResult({ content: [{ type: "text", text }] }, max)
        .content as { text: string }[];
      const shown = part?.text ?? "";
      if (bytes(text) <= max) return assert.equal(shown, text);
      const marker = /\n?\[… (\d+) bytes cut: the limit for a result is \d+ bytes\]$/.exec(shown);
      assert.ok(marker, shown);
      const kept = shown.slice(0, marker.index);
      assert.ok(text.startsWith(kept));
      assert.ok(bytes(kept) <= max);
      assert.equal(bytes(kept) + Number(marker[1]), bytes(text));
    },
  ));
});

Deno.test("result's parts share one limit", () => {
  const text = "x".repeat(60);
  const { content } = shapeResult(
    { content: [{ type: "text", text }, { type: "text", text }] },
    100,
  );
  assert.deepEqual(content, [
    { type: "text", text },
    {
      type: "text",
      text: "x".repeat(40) + "\n[… 20 bytes cut: the limit for a result is 100 bytes]",
    },
  ]);
});

Deno.test("result notes what is too large to be cut", () => {
  const { content, structuredContent } = shapeResult({
    content: [{ type: "image", mimeType: "image/png", data: "aGkh".repeat(100) }],
    structuredContent: { a: "x".repeat(200) },
  }, 100);
  assert.equal(structuredContent, undefined);
  assert.deepEqual(content, [
    { type: "text", text: "[image of 449 bytes left out: the limit is 100 bytes]" },
    { type: "text", text: "[structured content of 208 bytes left out: the limit is 100]" },
  ]);
});

Deno.test("result of unknown or broken parts is passed on as JSON text", () => {
  const { content } = shapeResult({
    content: [{ type: "hologram", x: 1 }, { type: "image", mimeType: "image/png", data: "%%" }, 7],
  }, 1000);
  assert.deepEqual(content, [
    { type: "text", text: '{"type":"hologram","x":1}' },
    { type: "text", text: '{"type":"image","mimeType":"image/png","data":"%%"}' },
    { type: "text", text: "7" },
  ]);
});

Deno.test("result that is none becomes an error for the model to read", () => {
  for (const answer of [undefined, null, 7, [], {}, { content: "x" }]) {
    const shaped = shapeResult(answer, 100);
    assert.equal(shaped.isError, true);
    assert.match(JSON.stringify(shaped.content), /no tool result/);
  }
});
