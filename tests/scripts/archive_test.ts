import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { archive } from "../../scripts/release.ts";

const entries = [
  { name: "a/program", bytes: Uint8Array.of(1, 2, 3), mode: 0o755 },
  { name: "a/LICENSE", bytes: new Uint8Array(1024), mode: 0o644 },
];

Deno.test("archive is what tar unpacks, names, modes and bytes", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeFileSync(join(folder, "a.tar.gz"), await archive(entries));
    const tar = new Deno.Command("tar", { args: ["-xzf", "a.tar.gz"], cwd: folder });
    const { success, stderr } = await tar.output();
    assert(success, new TextDecoder().decode(stderr));
    for (const { name, bytes, mode } of entries) {
      assert.deepEqual(Deno.readFileSync(join(folder, name)), bytes);
      assert.equal((Deno.statSync(join(folder, name)).mode ?? 0) & 0o100, mode & 0o100);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("archive depends on its entries only", async () => {
  assert.deepEqual(await archive(entries), await archive(entries));
});

Deno.test("archive refuses a name that does not fit", async () => {
  const name = "n".repeat(101);
  await assert.rejects(
    () => archive([{ name, bytes: new Uint8Array(), mode: 0o644 }]),
    /at most 100 bytes/,
  );
});
