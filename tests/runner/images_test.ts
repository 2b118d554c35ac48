import { strict as assert } from "node:assert";
import { basename, join } from "@std/path";
import { imageFiles, type ImageInput } from "../../runner/images.ts";
import { TurnDirectory } from "../../runner/process/turn_directory.ts";
import { TurnError } from "../../runner/turn_event.ts";

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async function withDirectory(
  work: (directory: TurnDirectory, root: string) => void,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    using directory = await TurnDirectory.create(join(root, "running"));
    work(directory, root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("imageFiles writes inline images to private files, in order", async () => {
  await withDirectory((directory, root) => {
    const images: ImageInput[] = [
      { dataBase64: PIXEL, mediaType: "image/png" },
      { url: `data:image/jpeg;base64,${PIXEL}` },
      { url: `data:;base64,${PIXEL}` },
      { dataBase64: PIXEL },
      { dataBase64: PIXEL, mediaType: "image/webp" },
    ];
    const files = imageFiles(images, root, directory);
    const names = ["image-0.png", "image-1.jpg", "image-2.png", "image-3.png", "image-4.webp"];
    assert.deepEqual(files.map((file) => basename(file)), names);
    for (const file of files) {
      assert.equal((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
      assert.deepEqual(btoa(String.fromCharCode(...Deno.readFileSync(file))), PIXEL);
    }
  });
});

Deno.test("imageFiles points codex at files as they are, relative ones in the workspace", async () => {
  await withDirectory((directory, root) => {
    Deno.writeTextFileSync(join(root, "a.png"), "");
    const files = imageFiles([{ path: "a.png" }, { path: join(root, "a.png") }], root, directory);
    assert.deepEqual(files, [join(root, "a.png"), join(root, "a.png")]);
  });
});

Deno.test("imageFiles refuses what codex would stumble over, and names it", async () => {
  const cases: [ImageInput, RegExp][] = [
    [{ url: "https://example.com/a.png" }, /image 2 has a url that is no base64 data: URL/],
    [{ url: "data:image/png,plain" }, /no base64 data: URL/],
    [{ path: "missing.png" }, /image 2 is no readable file: .*\/missing\.png/],
    [{ path: "." }, /is no readable file/],
    [{ dataBase64: "%%%" }, /has data that is not base64/],
    [{ dataBase64: PIXEL, mediaType: "text/html" }, /is of media type "text\/html"/],
    [{}, /has neither path, data_base64 nor url/],
  ];
  for (const [image, message] of cases) {
    await withDirectory((directory, root) => {
      assert.throws(
        () => imageFiles([{ dataBase64: PIXEL }, image], root, directory),
        (error: unknown) => {
          assert.ok(error instanceof TurnError);
          const { kind, hint, retryable } = error.failure;
          assert.deepEqual([kind, retryable, typeof hint], ["invalid_request", false, "string"]);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});
