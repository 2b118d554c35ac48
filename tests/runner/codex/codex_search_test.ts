import { strict as assert } from "node:assert";
import { dirname, join } from "@std/path";
import { searchCodex } from "../../../runner/codex/codex_search.ts";

class Home {
  readonly dir = Deno.realPathSync(Deno.makeTempDirSync());

  /** Puts a program somewhere below. */
  put(path: string, mode = 0o755): string {
    const file = join(this.dir, path);
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, "");
    Deno.chmodSync(file, mode);
    return file;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

/** No codex of the machine may be found. */
const NAME = "codex-of-the-search-test";

Deno.test("searchCodex takes the first executable on PATH", () => {
  using home = new Home();
  home.put(`a/${NAME}`, 0o644);
  const found = home.put(`b/${NAME}`);
  home.put(`c/${NAME}`);
  const PATH = ["a", "b", "c"].map((name) => join(home.dir, name)).join(":");
  assert.equal(searchCodex(NAME, { HOME: home.dir, PATH }).path, found);
});

Deno.test("searchCodex knows the places that a service's PATH lacks", () => {
  const places: [string, Record<string, string>?][] = [
    [".local/bin"],
    [".npm-global/bin"],
    [".nvm/versions/node/v22.1.0/bin"],
    [".volta/bin"],
    [".local/share/pnpm"],
    [".bun/bin"],
    ["elsewhere/nvm/versions/node/v20.0.0/bin", { NVM_DIR: "elsewhere/nvm" }],
    ["prefix/bin", { npm_config_prefix: "prefix" }],
  ];
  for (const [place, variables = {}] of places) {
    using home = new Home();
    const path = home.put(join(place, NAME));
    const env: Record<string, string> = { HOME: home.dir, PATH: "/nowhere" };
    for (const [name, value] of Object.entries(variables)) env[name] = join(home.dir, value);
    assert.equal(searchCodex(NAME, env).path, path, place);
  }
});

Deno.test("searchCodex prefers the newest Node of nvm", () => {
  using home = new Home();
  home.put(`.nvm/versions/node/v9.9.9/bin/${NAME}`);
  const newest = home.put(`.nvm/versions/node/v22.1.0/bin/${NAME}`);
  home.put(`.nvm/versions/node/v20.1.0/bin/${NAME}`);
  assert.equal(searchCodex(NAME, { HOME: home.dir }).path, newest);
});

Deno.test("searchCodex reads npm's prefix from .npmrc", () => {
  using home = new Home();
  const path = home.put(`my npm/bin/${NAME}`);
  Deno.writeTextFileSync(join(home.dir, ".npmrc"), "//x/:_authToken=t\nprefix = ~/my npm\n");
  assert.equal(searchCodex(NAME, { HOME: home.dir }).path, path);
});

Deno.test("searchCodex takes a path as it is, ~ being the home", () => {
  using home = new Home();
  const path = home.put("x/codex");
  assert.equal(searchCodex(path, {}).path, path);
  assert.equal(searchCodex("~/x/codex", { HOME: home.dir }).path, path);
  assert.deepEqual(searchCodex("/nowhere/codex", {}), {
    path: undefined,
    looked: ["/nowhere/codex"],
  });
});

Deno.test("searchCodex looks nowhere that depends on the current directory", () => {
  const { path, looked } = searchCodex(NAME, { PATH: ".:bin::/opt/x" });
  assert.equal(path, undefined);
  assert.deepEqual(looked.filter((place) => !place.startsWith("/")), []);
  assert.equal(looked[0], "/opt/x");
  assert.equal(new Set(looked).size, looked.length);
});
