import { strict as assert } from "node:assert";
import { dirname, join } from "@std/path";
import { nativeBehind, searchCodex } from "../../../runner/codex/codex_search.ts";
import { codexBinary, MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../../support/codex.ts";

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

const ARCH = Deno.build.arch;
const CPU = ARCH === "aarch64" ? "arm64" : "x64";
const [PLATFORM, TRIPLE] = Deno.build.os === "darwin"
  ? [`codex-darwin-${CPU}`, `${ARCH}-apple-darwin`]
  : [`codex-linux-${CPU}`, `${ARCH}-unknown-linux-musl`];

/** As the launcher of 0.135 and that of 0.169 begin to differ. */
const OLD = "function getUpdatedPath() {} // CODEX_MANAGED_BY_BUN CODEX_MANAGED_BY_NPM";
const NEW = "// CODEX_MANAGED_BY_BUN CODEX_MANAGED_BY_PNPM CODEX_MANAGED_BY_NPM";

class Tree {
  readonly dir = Deno.realPathSync(Deno.makeTempDirSync());

  put(path: string, text = ""): string {
    const file = join(this.dir, path);
    Deno.mkdirSync(dirname(file), { recursive: true });
    Deno.writeTextFileSync(file, text, { mode: 0o755 });
    return file;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

Deno.test("nativeBehind sees through the launchers of real packages", async () => {
  for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
    const { native, launcher } = await codexBinary(version);
    const found = nativeBehind(launcher);
    const root = dirname(dirname(launcher));
    assert.equal(found?.path, Deno.realPathSync(native));
    assert.deepEqual(found?.env, {
      CODEX_MANAGED_BY_NPM: "1",
      CODEX_MANAGED_PACKAGE_ROOT: Deno.realPathSync(root),
    });
    const extended = join(dirname(dirname(found?.path ?? "")), "codex-path");
    assert.equal(found?.pathDirectory, version === "0.135.0" ? extended : undefined, version);
  }
});

Deno.test("nativeBehind finds the platform package wherever Node would", () => {
  const places = [
    "lib/node_modules/@openai/codex/node_modules/@openai",
    "lib/node_modules/@openai",
    "node_modules/@openai", // hoisted over lib/
  ];
  for (const place of places) {
    using tree = new Tree();
    const launcher = tree.put("lib/node_modules/@openai/codex/bin/codex.js", NEW);
    const native = tree.put(`${place}/${PLATFORM}/vendor/${TRIPLE}/bin/codex`);
    assert.equal(nativeBehind(launcher)?.path, native, place);
  }
});

Deno.test("nativeBehind knows the older layouts, and extends PATH where their launcher does", () => {
  using tree = new Tree();
  const launcher = tree.put("n/@openai/codex/bin/codex.js", OLD);
  const native = tree.put(`n/@openai/codex/vendor/${TRIPLE}/codex/codex`);
  tree.put(`n/@openai/codex/vendor/${TRIPLE}/path/rg`);
  const found = nativeBehind(launcher);
  assert.equal(found?.path, native);
  assert.equal(found?.pathDirectory, join(dirname(dirname(native)), "path"));
});

Deno.test("nativeBehind follows links, pnpm's script and Volta's shim", () => {
  using tree = new Tree();
  const root = ".volta/tools/image/packages/@openai/codex/lib/node_modules/@openai";
  tree.put(`${root}/codex/bin/codex.js`, NEW);
  const native = tree.put(`${root}/${PLATFORM}/vendor/${TRIPLE}/bin/codex`);
  const link = join(tree.dir, "codex");
  Deno.symlinkSync(join(tree.dir, root, "codex/bin/codex.js"), link);
  assert.equal(nativeBehind(link)?.path, native);

  const script = tree.put(
    "pnpm/codex",
    [
      "#!/bin/sh",
      `exec node  "$basedir/../${root}/codex/bin/codex.js" "$@"`,
    ].join("\n"),
  );
  assert.equal(nativeBehind(script)?.path, native);

  tree.put(".volta/bin/volta-shim");
  Deno.symlinkSync("volta-shim", join(tree.dir, ".volta/bin/codex"));
  assert.equal(nativeBehind(join(tree.dir, ".volta/bin/codex"))?.path, native);
});

Deno.test("nativeBehind says which package manager owns codex, in the words its launcher knows", () => {
  for (
    const [launcherText, name] of [[NEW, "CODEX_MANAGED_BY_PNPM"], [OLD, "CODEX_MANAGED_BY_NPM"]]
  ) {
    using tree = new Tree();
    const launcher = tree.put("g/node_modules/@openai/codex/bin/codex.js", launcherText);
    tree.put("g/node_modules/.modules.yaml");
    tree.put(`g/node_modules/@openai/${PLATFORM}/vendor/${TRIPLE}/bin/codex`);
    assert.deepEqual(Object.keys(nativeBehind(launcher)?.env ?? {})[0], name);
  }
  using tree = new Tree();
  const root = ".bun/install/global/node_modules/@openai";
  const launcher = tree.put(`${root}/codex/bin/codex.js`, OLD);
  tree.put(`${root}/${PLATFORM}/vendor/${TRIPLE}/bin/codex`);
  assert.equal(nativeBehind(launcher)?.env.CODEX_MANAGED_BY_BUN, "1");
});

Deno.test("nativeBehind leaves alone what is no launcher, or has no native package", () => {
  using tree = new Tree();
  for (
    const path of ["codex", "bin/codex.js", "x/codex/bin/codex.js", "n/@openai/codex/bin/codex.js"]
  ) {
    assert.equal(nativeBehind(tree.put(path, NEW)), undefined, path);
  }
  assert.equal(nativeBehind(Deno.execPath()), undefined);
});
