/** Where files lie, from the environment alone. */
import { strict as assert } from "node:assert";
import { join, resolve } from "@std/path";
import {
  lastingRuntimeDirectory,
  profilePaths,
  profileRoot,
  runtimeDirectory,
} from "../../plugin/profile.ts";

const from = (env: Record<string, string | undefined>) => (name: string): string | undefined =>
  env[name];

Deno.test("profile root is PLEXUM_PROFILE_ROOT, else ~/.plexum", () => {
  assert.equal(profileRoot(from({ PLEXUM_PROFILE_ROOT: "/p", HOME: "/h" })), "/p");
  assert.equal(profileRoot(from({ PLEXUM_PROFILE_ROOT: "", HOME: "/h" })), "/h/.plexum");
  assert.equal(profileRoot(from({ HOME: "/h" })), "/h/.plexum");
  assert.equal(profileRoot(from({ PLEXUM_PROFILE_ROOT: "rel/p" })), resolve("rel/p"));
});

Deno.test("profile root without any home is an error that says what to set", () => {
  for (const env of [{}, { HOME: "" }]) {
    assert.throws(() => profileRoot(from(env)), /^Error: Cannot find .* Set PLEXUM_PROFILE_ROOT/);
  }
});

Deno.test("profile paths lie in the plugin's own directory", () => {
  const plugin = "/p/plugins/plexum-openai-provider";
  const paths = profilePaths("/p");
  assert.equal(paths.config, `${plugin}/config.json`);
  assert.equal(paths.manifest, `${plugin}/manifest.json`);
  assert.equal(paths.state, `${plugin}/state`);
  for (const [name, path] of Object.entries(paths)) {
    if (name !== "profile") assert.ok(path.startsWith(plugin), `${name}: ${path}`);
  }
});

Deno.test("runtime directory is the first that takes a socket", () => {
  const root = Deno.realPathSync(Deno.makeTempDirSync());
  const folder = (name: string, mode = 0o700): string => {
    const path = join(root, name);
    Deno.mkdirSync(path);
    Deno.chmodSync(path, mode);
    return path;
  };
  try {
    const [run, temp, open] = [folder("run"), folder("tmp"), folder("open", 0o777)];
    const state = folder("state");
    const [long, file] = [folder("x".repeat(90)), join(root, "file")];
    Deno.writeTextFileSync(file, "");
    const cases: [env: Record<string, string>, expected: string, state?: string][] = [
      [{ XDG_RUNTIME_DIR: run, TMPDIR: temp }, run, state],
      [{ XDG_RUNTIME_DIR: join(root, "missing"), TMPDIR: temp }, state, state],
      [{ TMPDIR: temp }, state, state],
      [{}, state, state],
      [{}, "/tmp", long],
      [{ TMPDIR: temp }, temp],
      [{ XDG_RUNTIME_DIR: "relative", TMPDIR: temp }, temp],
      [{ XDG_RUNTIME_DIR: long, TMPDIR: temp }, temp],
      [{ XDG_RUNTIME_DIR: join(root, "missing"), TMPDIR: temp }, temp],
      [{ XDG_RUNTIME_DIR: open, TMPDIR: temp }, temp],
      [{ XDG_RUNTIME_DIR: "", TMPDIR: file }, "/tmp"],
      [{ TMPDIR: "." }, "/tmp"],
      [{}, "/tmp"],
    ];
    for (const [env, expected, state = join(root, "no state")] of cases) {
      assert.equal(runtimeDirectory(from(env), state), expected);
    }
    const used = [run, temp, state].flatMap((dir) => [...Deno.readDirSync(dir)]);
    assert.deepEqual(used, [], "nothing stays");

    const lasting = lastingRuntimeDirectory(from({ XDG_RUNTIME_DIR: run }), state);
    assert.equal(lasting(), run);
    Deno.removeSync(run);
    assert.equal(lasting(), state, "another one, once the first has gone");
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
});
