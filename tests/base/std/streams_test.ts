import { strict as assert } from "node:assert";
import fc from "fast-check";
import { TextLineStream } from "@std/streams";

async function lines(chunks: string[]): Promise<string[]> {
  const stream = ReadableStream.from(chunks).pipeThrough(new TextLineStream());
  return await Array.fromAsync(stream);
}

Deno.test("TextLineStream splits at LF and CRLF, and keeps a lone CR", async () => {
  assert.deepEqual(await lines(["a\r", "\nb", "c\rd\n\n", "e\r"]), ["a", "bc\rd", "", "e\r"]);
  assert.deepEqual(await lines(["a\n"]), ["a"]);
  assert.deepEqual(await lines([]), []);
  assert.deepEqual(await lines(["x\u2028y\n\ufeffz"]), ["x\u2028y", "\ufeffz"]);
});

Deno.test("TextLineStream gives the same lines however the text is cut", async () => {
  const piece = fc.constantFrom("a", "b", "\n", "\r", "\r\n", "");
  await fc.assert(
    fc.asyncProperty(fc.array(piece), async (chunks) => {
      const text = chunks.join("");
      const expected = text.split(/\r?\n/);
      if (expected.at(-1) === "") expected.pop();
      assert.deepEqual(await lines(chunks), expected);
    }),
  );
});
