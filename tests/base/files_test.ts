import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { openOwnFile, readForeignFile, readOwnFile, UnusableFile } from "../../base/files.ts";
import { after } from "../support/failing_system.ts";

function directory(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "plexum-open-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** Swaps `name` in `cwd` between a file and a FIFO until it is disposed of. */
function swapping(cwd: string, name: string): AsyncDisposable {
  const script = `while [ ! -e stop ]; do printf x > ${name}.new; mv ${name}.new ${name}; ` +
    `mkfifo ${name}.new; mv ${name}.new ${name}; done`;
  const child = new Deno.Command("sh", { args: ["-c", script], cwd, stdin: "null", stderr: "null" })
    .spawn();
  return {
    async [Symbol.asyncDispose]() {
      // Killed, it would leave a child behind that still makes a file.
      Deno.writeTextFileSync(join(cwd, "stop"), "");
      await child.status;
    },
  };
}

const unusable = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UnusableFile, String(error));
  assert.match(error.message, pattern);
  return true;
};

Deno.test("openOwnFile never waits for a FIFO that is put in the file's place in a loop", async () => {
  using root = directory();
  const path = join(root.path, "f");
  Deno.writeTextFileSync(path, "x");
  await using _swapper = swapping(root.path, "f");
  const seen = { file: 0, refused: 0 };
  // A wait would be for ever: nobody opens the other end.
  for (let round = 0; round < 3000 || seen.file === 0 || seen.refused === 0; round++) {
    try {
      using opened = openOwnFile(path);
      assert.ok(opened.info.isFile);
      seen.file++;
    } catch (error) {
      assert.ok(error instanceof UnusableFile || error instanceof Deno.errors.NotFound, `${error}`);
      seen.refused++;
    }
    if (round % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
});

Deno.test("readForeignFile never waits for such a FIFO, and gives the file or says why not", async () => {
  using root = directory();
  const path = join(root.path, "f");
  Deno.writeTextFileSync(path, "x");
  await using _swapper = swapping(root.path, "f");
  let read = 0;
  for (let round = 0; round < 60 || read === 0; round++) {
    try {
      const text = new TextDecoder().decode(await readForeignFile(path, { maxBytes: 10 }));
      assert.ok(text === "x" || text === "", text); // a FIFO without a writer is empty
      read++;
    } catch (error) {
      assert.ok(error instanceof UnusableFile, `${error}`);
    }
  }
});

Deno.test("openOwnFile and readOwnFile give a file of ours, and refuse what is none", () => {
  using root = directory();
  const path = join(root.path, "f");
  Deno.writeTextFileSync(path, "content");
  assert.equal(new TextDecoder().decode(readOwnFile(path)), "content");
  Deno.symlinkSync(path, join(root.path, "link"));
  assert.throws(() => openOwnFile(join(root.path, "link")), unusable(/it is a symbolic link$/));
  assert.throws(() => openOwnFile(root.path), unusable(/it is not a regular file$/));
  assert.throws(() => openOwnFile(join(root.path, "none")), Deno.errors.NotFound);
});

Deno.test("readForeignFile reads what fits and refuses links, directories and what is too long", async () => {
  using root = directory();
  const path = join(root.path, "f");
  const content = "0123456789".repeat(50_000);
  Deno.writeTextFileSync(path, content);
  const whole = await readForeignFile(path, { maxBytes: content.length });
  assert.equal(new TextDecoder().decode(whole), content);
  Deno.symlinkSync(path, join(root.path, "link"));
  const read = (name: string, maxBytes: number) =>
    readForeignFile(join(root.path, name), { maxBytes });
  await assert.rejects(read("f", 499_999), unusable(/it has 500000 bytes, more than 499999$/));
  await assert.rejects(read("link", 500_000), unusable(/it is not a regular file$/));
  await assert.rejects(read("none", 1), unusable(/No such file/));
  await assert.rejects(read(".", 1), unusable(/it is not a regular file$/));
});

Deno.test("readForeignFile hears its limit and its signal", async () => {
  using root = directory();
  const path = join(root.path, "f");
  Deno.writeTextFileSync(path, "x");
  const sparse = join(root.path, "sparse");
  Deno.writeTextFileSync(sparse, "");
  Deno.truncateSync(sparse, 2 ** 31);
  await assert.rejects(
    readForeignFile(sparse, { maxBytes: 2 ** 31, limitMs: 10 }),
    unusable(/it did not end within 0.01 s$/),
  );
  const stop = new AbortController();
  const read = readForeignFile(path, { maxBytes: 1, signal: stop.signal });
  stop.abort(new Error("stopped"));
  await assert.rejects(read, /stopped/);
});

Deno.test("readOwnFile reads the new file where one is put in its place at this very moment", () => {
  using root = directory();
  const path = join(root.path, "f");
  Deno.writeTextFileSync(path, "old");
  Deno.writeTextFileSync(`${path}.new`, "new");
  using _replaced = after("lstatSync", path, () => Deno.renameSync(`${path}.new`, path));
  assert.equal(new TextDecoder().decode(readOwnFile(path)), "new");
});
