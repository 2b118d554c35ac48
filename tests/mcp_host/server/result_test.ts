import { strict as assert } from "node:assert";
import fc from "fast-check";
import { RawJson, stringify } from "../../../base/raw_json.ts";
import { type ResultLimits, shapeResult } from "../../../mcp_host/server/result.ts";
import { PIXEL } from "../../support/pixel.ts";

const bytes = (text: string) => new TextEncoder().encode(text).length;

/** What codex gets for an answer, as it is on the wire. */
function shaped(answer: unknown, limits: Partial<ResultLimits> = {}): string {
  return stringify(
    shapeResult(answer, { resultMaxBytes: 10_000, emptyResultFails: false, ...limits }),
  );
}

/** The parts that codex gets. */
function partsOf(answer: unknown, limits: Partial<ResultLimits> = {}): unknown[] {
  return JSON.parse(shaped(answer, limits)).content;
}

const text = (text: string) => ({ type: "text", text });

Deno.test("result passes on whole, and as it was written, what fits", () => {
  const content = `[{"text":"hi\\/\\u00e9", "type":"text","annotations":{"priority":1.0}},` +
    `{"type":"image","mimeType":"image/png","data":"${PIXEL.png}"},` +
    `{"type":"resource_link","uri":"file:///x","name":"x","size":9007199254740993},` +
    `{"type":"resource","resource":{"uri":"file:///x","text":"y"}}]`;
  const answer = `{"_meta":{"k":1e2},"isError":true,"content":${content}}`;
  const expected = JSON.parse(content).length;
  const wire = shaped(new RawJson(answer));
  assert.equal(JSON.parse(wire).content.length, expected);
  for (const part of new RawJson(content).elements()) assert.ok(wire.includes(part.text), wire);
  assert.match(wire, /"isError":true,"_meta":\{"k":1e2\}/);
});

Deno.test("result's structured content goes behind the content, digit by digit", () => {
  const structured = '{"id":9007199254740993,"z":-0,"e":1E2,"one":1.0,"id":2,"u":"\\ud800"}';
  const answer = new RawJson(
    `{"content":[{"type":"text","text":"x"}],` +
      `"structuredContent":${structured}}`,
  );
  assert.deepEqual(partsOf(answer), [text("x"), text(structured)]);
  assert.ok(!shaped(answer).includes("structuredContent"));
});

Deno.test("result's structured content is not said twice where a text says it, whatever its spaces", () => {
  const said = '{ "b": [1, 9007199254740993],\n "a": 1.0 }';
  const same = { content: [text(said)] };
  const answer = (structured: string) =>
    new RawJson(JSON.stringify(same).slice(0, -1) + `,"structuredContent":${structured}}`);
  assert.deepEqual(partsOf(answer('{"a":1.0,"b":[1,9007199254740993]}')), [text(said)]);
  for (const other of ['{"a":1.0,"b":[1,9007199254740992]}', '{"a":1,"b":[1,9007199254740993]}']) {
    assert.deepEqual(partsOf(answer(other)), [text(said), text(other)]);
  }
});

Deno.test("result of many rows, each a text, beside all of them as structured content", () => {
  // Were the whole read again for each row, this would take hours.
  const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, name: `row ${id}`, tags: ["a"] }));
  const content = rows.map((row) => text(JSON.stringify(row)));
  const parts = partsOf({ content, structuredContent: { rows } }, { resultMaxBytes: 1e9 });
  assert.deepEqual(parts.slice(0, -1), content);
  assert.deepEqual(parts.at(-1), text(JSON.stringify({ rows })));
});

Deno.test("result without content is an empty text for the codex that takes it for a failure", () => {
  assert.deepEqual(partsOf({ content: [] }), []);
  assert.deepEqual(partsOf({ content: [] }, { emptyResultFails: true }), [text("")]);
  const structured = { content: [], structuredContent: { a: 1 } };
  assert.deepEqual(partsOf(structured, { emptyResultFails: true }), [text('{"a":1}')]);
});

Deno.test("result text is cut at a character, and says how much is missing", () => {
  fc.assert(fc.property(
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.nat({ max: 300 }),
    (said, max) => {
      const [part] = partsOf({ content: [text(said)] }, { resultMaxBytes: max }) as {
        text: string;
      }[];
      const shown = part?.text ?? "";
      if (bytes(said) <= max) return assert.equal(shown, said);
      const marker = /\n?\[… (\d+) bytes cut: the limit for a result is \d+ bytes\]$/.exec(shown);
      assert.ok(marker, shown);
      const kept = shown.slice(0, marker.index);
      assert.ok(said.startsWith(kept));
      assert.ok(bytes(kept) <= max);
      assert.equal(bytes(kept) + Number(marker[1]), bytes(said));
    },
  ));
});

Deno.test("result's parts share one limit, its structured content too", () => {
  const said = "x".repeat(60);
  const answer = { content: [text(said), text(said)], structuredContent: { a: 1 } };
  assert.deepEqual(partsOf(answer, { resultMaxBytes: 100 }), [
    text(said),
    text("x".repeat(40) + "\n[… 20 bytes cut: the limit for a result is 100 bytes]"),
    text("[… 7 bytes cut: the limit for a result is 100 bytes]"),
  ]);
});

Deno.test("result notes what is too large to be cut", () => {
  const image = { type: "image", mimeType: "image/png", data: PIXEL.png };
  const size = JSON.stringify(image).length;
  assert.deepEqual(partsOf({ content: [image] }, { resultMaxBytes: 100 }), [
    text(`[image of ${size} bytes left out: the limit is 100 bytes]`),
  ]);
});

Deno.test("result's picture gets the media type of its bytes and base64 that codex can read", () => {
  const good = { type: "image", mimeType: "image/png", data: PIXEL.png };
  const wrong = [
    { ...good, mimeType: "image/jpeg" },
    { ...good, mimeType: undefined },
    { ...good, mimeType: "application/octet-stream" },
    { ...good, data: PIXEL.png.replaceAll(/.{1,20}/g, "$&\n") },
    { ...good, data: PIXEL.png.replaceAll("=", "") },
    { ...good, data: `data:image/png;base64,${PIXEL.png}` },
  ];
  for (const image of wrong) assert.deepEqual(partsOf({ content: [image] }), [good]);
  for (const [kind, data] of Object.entries(PIXEL)) {
    const image = { type: "image", mimeType: `image/${kind}`, data };
    assert.deepEqual(partsOf({ content: [image] }), [image]);
  }
});

Deno.test("result's picture that is none becomes a text that says why", () => {
  const rows: [data: unknown, why: RegExp][] = [
    ["", /the host's picture is empty/],
    ["%%", /is not base64/],
    [undefined, /is not base64/],
    [btoa("<svg xmlns='x'/>"), /is an SVG drawing: use PNG, JPEG, GIF or WebP/],
    [btoa("%PDF-1.7"), /is a PDF document/],
    [PIXEL.png.slice(0, 40), /is a broken PNG file: it is cut off/],
  ];
  for (const [data, why] of rows) {
    const [part] = partsOf({ content: [{ type: "image", mimeType: "image/png", data }] });
    const { type, text } = part as { type: string; text: string };
    assert.equal(type, "text");
    assert.match(text, why);
    assert.match(text, /^\[an image was left out: /);
  }
});

Deno.test("result that codex's parser would lose is changed as little as it takes", () => {
  const deep = '{"type":"resource_link","uri":"x","name":"y","_meta":' +
    `${"[".repeat(200)}${"]".repeat(200)}}`;
  const huge = '{"type":"resource_link","uri":"x","name":"y","size":1e999}';
  for (const part of [deep, huge]) {
    assert.deepEqual(partsOf(new RawJson(`{"content":[${part}]}`)), [text(part)]);
  }
});

Deno.test("result of unknown or broken parts is passed on as JSON text", () => {
  const parts = ['{"type":"hologram","x":1.0}', '{"type":"text","text":5}', "7", "null"];
  assert.deepEqual(partsOf(new RawJson(`{"content":[${parts}]}`)), parts.map(text));
});

Deno.test("result that is none becomes an error for the model to read", () => {
  for (const answer of [undefined, null, 7, [], { content: "x" }]) {
    const wire = JSON.parse(shaped(answer));
    assert.equal(wire.isError, true);
    assert.match(JSON.stringify(wire.content), /not a tool result/);
  }
});

Deno.test("result is understood with the keys that a host in another language writes", () => {
  const wire = JSON.parse(shaped({ is_error: true, structured_content: { a: 1 }, content: [] }));
  assert.deepEqual(wire, { content: [text('{"a":1}')], isError: true });
  assert.ok(!shaped({ isError: false, is_error: true, content: [] }).includes("true"));
});
