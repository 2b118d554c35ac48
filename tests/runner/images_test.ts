import { strict as assert } from "node:assert";
import { basename, join } from "@std/path";
import { type ImageInput, readImages, writeImages } from "../../runner/images.ts";
import { TurnDirectory } from "../../runner/process/turn_directory.ts";
import { TurnError } from "../../runner/turn_event.ts";
import { failing } from "../support/failing_system.ts";
import { PIXEL } from "../support/pixel.ts";

type Given = Omit<ImageInput, "block">;

/** As the content blocks behind a text. */
const behindText = (images: Given[]): ImageInput[] =>
  images.map((image, at) => ({ block: at + 1, ...image }));

async function inFolder(work: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await work(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

Deno.test("images are written to private files, in order, named by their bytes", async () => {
  await inFolder(async (root) => {
    Deno.writeFileSync(join(root, "a, b.txt"), bytesOf(PIXEL.gif));
    Deno.symlinkSync("a, b.txt", join(root, "link"));
    const images = await readImages(
      behindText([
        { dataBase64: PIXEL.png },
        { url: `data:image/png;base64,${PIXEL.jpeg}` },
        { url: `data:;base64,${PIXEL.webp}` },
        { path: "a, b.txt" },
        { path: join(root, "link") },
      ]),
      root,
    );
    using directory = await TurnDirectory.create(join(root, "running"));
    const files = writeImages(images, directory);
    const names = ["image-1.png", "image-2.jpg", "image-3.webp", "image-4.gif", "image-5.gif"];
    assert.deepEqual(files.map((file) => basename(file)), names);
    const written = [PIXEL.png, PIXEL.jpeg, PIXEL.webp, PIXEL.gif, PIXEL.gif];
    for (const [at, file] of files.entries()) {
      assert.equal((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
      assert.deepEqual(Deno.readFileSync(file), bytesOf(written[at] ?? ""));
    }
  });
});

Deno.test("an image that cannot be read for want of descriptors is no fault of the request", async () => {
  await inFolder(async (root) => {
    const path = join(root, "a.png");
    Deno.writeFileSync(path, bytesOf(PIXEL.png));
    using _fault = failing("realPath", path);
    const error: unknown = await readImages([{ path }], root).catch((error) => error);
    assert.ok(error instanceof Error && !(error instanceof TurnError), String(error));
  });
});

const UNUSABLE: [image: Given, message: RegExp][] = [
  [{ url: "https://example.com/a.png" }, /has a url that is not a base64 data: URL/],
  [{ url: "data:image/png,plain" }, /has data that is not base64/],
  [{ path: "missing.png" }, /cannot be read: .*\/missing\.png/],
  [{ path: "." }, /cannot be read: \S+: it is not a regular file$/],
  [{ path: "fifo" }, /cannot be read/],
  [{ path: "empty.png" }, /is empty/],
  [{ path: "text.png" }, /is text, not a picture/],
  [{ dataBase64: "%%%" }, /has data that is not base64/],
  [{ dataBase64: btoa("<svg xmlns='http://www.w3.org/2000/svg'/>") }, /is an SVG drawing/],
  [{ dataBase64: PIXEL.png.slice(0, 60) }, /is a broken PNG file: it is cut off/],
  [{}, /has neither path, data_base64 nor url/],
];

Deno.test("images that codex would drop or stumble over are refused, and named", async () => {
  await inFolder(async (root) => {
    Deno.writeTextFileSync(join(root, "empty.png"), "");
    Deno.writeTextFileSync(join(root, "text.png"), "no picture\n");
    assert.ok(new Deno.Command("mkfifo", { args: [join(root, "fifo")] }).outputSync().success);
    for (const [image, message] of UNUSABLE) {
      await assert.rejects(
        readImages(behindText([{ dataBase64: PIXEL.png }, image]), root),
        (error: unknown) => {
          assert.ok(error instanceof TurnError);
          const { kind, hint, retryable } = error.failure;
          assert.deepEqual([kind, retryable, typeof hint], ["invalid_request", false, "string"]);
          assert.match(error.message, /^codex: image 2 \(content\[2\]\) /);
          assert.match(error.message, message);
          return true;
        },
      );
    }
  });
});
