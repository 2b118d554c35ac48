import { strict as assert } from "node:assert";
import { cacheDir } from "./cache.ts";
import { Progress, unpackFromNpm } from "./npm.ts";

Deno.test("downloads are kept outside the repository, where the environment says", () => {
  const at = (env: Record<string, string>) => cacheDir({ get: (name) => env[name] });
  assert.equal(at({ HOME: "/h" }), "/h/.cache/plexum-openai-provider");
  assert.equal(at({ HOME: "/h", XDG_CACHE_HOME: "/x" }), "/x/plexum-openai-provider");
  assert.equal(at({ HOME: "/h", XDG_CACHE_HOME: "/x", PLEXUM_CACHE: "/b" }), "/b");
});

/** What a person is told of a download of 8 MiB that comes in 16 pieces. */
function told(terminal: boolean): string {
  const said: string[] = [];
  const progress = new Progress("x 1.0.0", 8 * 2 ** 20, terminal, (text) => said.push(text));
  for (let piece = 0; piece < 16; piece++) progress.add(2 ** 19);
  progress.end();
  return said.join("").replace(/[\d.]+ s/, "S s");
}

Deno.test("progress in a pipe is a line for each quarter, without escapes", () => {
  assert.equal(
    told(false),
    "fetching x 1.0.0: 0 % of 8.0 MiB\nfetching x 1.0.0: 25 % of 8.0 MiB\n" +
      "fetching x 1.0.0: 50 % of 8.0 MiB\nfetching x 1.0.0: 75 % of 8.0 MiB\n" +
      "fetched x 1.0.0, 8.0 MiB in S s\n",
  );
});

Deno.test("progress on a terminal is one line that is written anew", () => {
  const text = told(true);
  assert.equal(text.match(/\n/g)?.length, 1);
  assert.equal(text.match(/\r/g)?.length, 17);
});

Deno.test("a fetch that fails says what was to be fetched, and what to do about it", async () => {
  const into = "/var/tmp/never-made";
  await assert.rejects(unpackFromNpm("not a spec", into, "the thing"), (error: Error) => {
    assert.match(error.message, /^Cannot fetch the thing from npm \(not a spec\): npm view failed/);
    assert.match(error.message, /DENO_TLS_CA_STORE=system,mozilla/);
    assert.ok(!error.message.trimEnd().includes("\n\n"), "one paragraph");
    return true;
  });
});
