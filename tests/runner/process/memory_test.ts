import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { memoryLeft, memoryOf, parseMemoryLeft } from "../../../runner/process/process_table.ts";

Deno.test("what is left is the least of what the machine and the container have", () => {
  const machine = "MemTotal:  4000 kB\nMemFree:  100 kB\nMemAvailable:    2000 kB\n";
  assert.equal(parseMemoryLeft(machine), 2000 * 1024);
  assert.equal(parseMemoryLeft(`${machine}max\n123456\n`), 2000 * 1024);
  assert.equal(parseMemoryLeft(`${machine}1000000\n400000\n`), 600_000);
  assert.equal(parseMemoryLeft(`${machine}1000000\n1400000\n`), 0);
  assert.equal(parseMemoryLeft(""), undefined);
});

Deno.test("the machine says what is left", { ignore: Deno.build.os !== "linux" }, async () => {
  assert.ok((await memoryLeft() ?? 0) > 1024 * 1024);
});

Deno.test({
  name: "memoryOf counts a codex under its release's name, and nobody who has got such a pid since",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const directory = Deno.makeTempDirSync({ prefix: "plexum-memory-" });
    const path = join(directory, "codex-x86_64-unknown-linux-musl");
    Deno.writeTextFileSync(path, "#!/bin/sh\nread line\n", { mode: 0o755 });
    const child = new Deno.Command(path, { stdin: "piped" }).spawn();
    try {
      const { resident, own } = await memoryOf([child.pid], "codex");
      assert.ok(resident > own && own > 0);
      assert.deepEqual(await memoryOf([child.pid], "node"), { resident: 0, own: 0 });
    } finally {
      await child.stdin.close();
      await child.status;
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
