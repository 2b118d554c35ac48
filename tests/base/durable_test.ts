/** Files that are replaced as a whole, on a disk that has no room for the new one. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { replaceByCopy, replaceFile } from "../../base/durable.ts";
import { newTestFolder } from "../support/cache.ts";
import { canMount, mountSmall } from "../support/mounted.ts";
import { skipped } from "../support/skipped.ts";

const KIB = 1024;
const OLD = "old\n".repeat(5 * KIB);
/** More than there is room for beside the old one, and a part of it does fit. */
const NEW = "newer\n".repeat(10 * KIB);

const REPLACED: Readonly<Record<string, (path: string, source: string) => void>> = {
  "replaceFile": (path) => replaceFile(path, NEW, 0o640),
  "replaceFile of bytes": (path) => replaceFile(path, new TextEncoder().encode(NEW), 0o640),
  "replaceByCopy": (path, source) => replaceByCopy(path, source, 0o640),
};

const ignore = skipped(!canMount(), "no file system may be mounted here");

for (const [name, replace] of Object.entries(REPLACED)) {
  Deno.test({
    name: `${name} leaves the old file whole and nothing beside it where the disk is full`,
    ignore,
    fn() {
      using folder = new Folder();
      using disk = mountSmall(join(folder.path, "small"), 64 * KIB) ?? assert.fail();
      const [path, source] = [join(disk.path, "file"), join(folder.path, "source")];
      Deno.writeTextFileSync(path, OLD);
      Deno.writeTextFileSync(source, NEW);
      assert.throws(() => replace(path, source), {
        message: `Cannot write ${path}: no space is left on the device`,
      });
      assert.equal(Deno.readTextFileSync(path), OLD);
      assert.deepEqual([...Deno.readDirSync(disk.path)].map(({ name }) => name), ["file"]);
    },
  });

  Deno.test(`${name} puts all of it in place, with this mode`, () => {
    using folder = new Folder();
    const [path, source] = [join(folder.path, "file"), join(folder.path, "source")];
    Deno.writeTextFileSync(path, OLD);
    Deno.writeTextFileSync(source, NEW);
    replace(path, source);
    assert.equal(Deno.readTextFileSync(path), NEW);
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o640);
  });
}

Deno.test("replaceByCopy puts nothing in place that its check refuses", () => {
  using folder = new Folder();
  const [path, source] = [join(folder.path, "file"), join(folder.path, "source")];
  Deno.writeTextFileSync(path, OLD);
  Deno.writeTextFileSync(source, NEW);
  const check = (copy: string) => {
    assert.equal(Deno.readTextFileSync(copy), NEW);
    throw new Error("no");
  };
  assert.throws(() => replaceByCopy(path, source, 0o600, check), { message: "no" });
  assert.equal(Deno.readTextFileSync(path), OLD);
  assert.equal([...Deno.readDirSync(folder.path)].length, 2);
});

class Folder implements Disposable {
  readonly path = newTestFolder();

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
