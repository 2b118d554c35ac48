/** The configuration while the plugin runs: changed, broken, mended. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { ConfigFile } from "../../../plugin/config/config.ts";

async function withFile(test: (file: ConfigFile, warnings: string[]) => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const warnings: string[] = [];
    test(new ConfigFile(join(folder, "config.json"), (text) => warnings.push(text)), warnings);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("config file that changes takes effect when it is asked for next", async () => {
  await withFile((file, warnings) => {
    assert.equal(file.load().binary, "codex");
    assert.equal(file.current(), file.current(), "unchanged, it is not read again");
    Deno.writeTextFileSync(file.path, '{"binary": "a", "biary": 1}');
    assert.equal(file.current().binary, "a");
    file.current();
    assert.equal(warnings.length, 1, "said once per change");
    assert.match(warnings[0] ?? "", /unknown key "biary"/);
    Deno.removeSync(file.path);
    assert.equal(file.current().binary, "codex");
  });
});

Deno.test("config file that breaks keeps the last good one, says so once, and can be mended", async () => {
  await withFile((file, warnings) => {
    Deno.writeTextFileSync(file.path, '{"binary": "good"}');
    file.load();
    Deno.writeTextFileSync(file.path, '{"binary": ');
    assert.equal(file.current().binary, "good");
    assert.equal(file.current().binary, "good");
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^parse .*; the last good one stays in use$/);
    Deno.writeTextFileSync(file.path, '{"binary": "mended"}');
    assert.equal(file.current().binary, "mended");
  });
});

Deno.test("config file that was never good is an error every time", async () => {
  await withFile((file) => {
    Deno.writeTextFileSync(file.path, "[");
    assert.throws(() => file.load(), /^ConfigError: parse /);
    assert.throws(() => file.current(), /^ConfigError: parse /);
    Deno.writeTextFileSync(file.path, "{}");
    assert.equal(file.current().binary, "codex");
  });
});

Deno.test("config file that is loaded again while broken throws and keeps the good one", async () => {
  await withFile((file) => {
    Deno.writeTextFileSync(file.path, '{"binary": "good"}');
    file.load();
    Deno.writeTextFileSync(file.path, "[");
    assert.throws(() => file.load(), /^ConfigError: parse /);
    assert.equal(file.current().binary, "good");
  });
});
