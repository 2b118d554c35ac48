import { strict as assert } from "node:assert";
import fc from "fast-check";
import { TextLineStream, toText } from "@std/streams";

async function lines(chunks: string[], options?: { allowCR: boolean }): Promise<string[]> {
  const stream = ReadableStream.from(chunks).pipeThrough(new TextLineStream(options));
  return await Array.fromAsync(stream);
}

Deno.test("TextLineStream splits at LF and CRLF, and keeps a lone CR", async () => {
  assert.deepEqual(await lines(["a\r", "\nb", "c\rd\n\n", "e\r"]), ["a", "bc\rd", "", "e\r"]);
  assert.deepEqual(await lines(["a\rb\r\nc\r"], { allowCR: true }), ["a", "b", "c"]);
  assert.deepEqual(await lines(["a\n"]), ["a"]);
  assert.deepEqual(await lines([]), []);
  assert.deepEqual(await lines(["x\u2028y\n\ufeffz"]), ["x\u2028y", "\ufeffz"]);
});

Deno.test("TextLineStream gives the same lines however the text is cut", async () => {
  const piece = fc.constantFrom("a", "b", "\n", "\r", "\r\n", "");
  await fc.assert(
    fc.asyncProperty(fc.array(piece), fc.boolean(), async (chunks, allowCR) => {
      const text = chunks.join("");
      const expected = text.split(allowCR ? /\r\n|\n|\r/ : /\r?\n/);
      if (expected.at(-1) === "") expected.pop();
      assert.deepEqual(await lines(chunks, { allowCR }), expected);
    }),
  );
});

Deno.test("toText() joins text, and bytes cut inside a character", async () => {
  assert.equal(await toText(ReadableStream.from(["a", "b"])), "ab");
  const bytes = new TextEncoder().encode("aü日");
  const cut = [...bytes].map((byte) => Uint8Array.of(byte));
  assert.equal(await toText(ReadableStream.from(cut)), "aü日");
});
