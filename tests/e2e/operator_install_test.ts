/**
 * Installing as an operator does it: one file, an empty profile, then upgrades and the way back.
 */
import { strict as assert } from "node:assert";
import { parse } from "@std/jsonc";
import { join } from "@std/path";
import { VERSION } from "../../plugin/self.ts";
import { executable } from "../support/checkout.ts";
import { Folder, isCompiled, run } from "../plugin/operator/command_line.ts";
import { startHost } from "../support/host.ts";

const NAME = "plexum-openai-provider";
const PROGRAM = `${NAME}-plugin`;
const ignore = !await isCompiled();

function modeOf(path: string): number {
  return (Deno.statSync(path).mode ?? 0) & 0o777;
}

Deno.test(
  { name: "install puts everything in place, and a second time changes nothing", ignore },
  async () => {
    using folder = new Folder();
    const profile = folder.at("profile");
    const plugin = join(profile, "plugins", NAME);
    const env = { PATH: "/usr/bin:/bin", HOME: folder.path };

    const look = await run(["install", "--profile", profile, "--dry-run"], { env });
    assert.equal(look.code, 0, look.stderr);
    assert.match(look.stdout, /Nothing was changed\.\n$/);
    assert.throws(() => Deno.statSync(profile), Deno.errors.NotFound);

    const first = await run(["install", "--profile", profile], { env });
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /or add this to \S*plexum\.json:\n {4}"plugins": \{ "allow": \["/);
    assert.equal(modeOf(join(plugin, PROGRAM)), 0o755);
    assert.equal(modeOf(join(plugin, "config.json")), 0o600);
    assert.equal(modeOf(plugin), 0o700);
    const manifest = JSON.parse(Deno.readTextFileSync(join(plugin, "manifest.json")));
    assert.deepEqual(manifest.contracts, { provider: { models: ["codex"] } });
    JSON.parse(Deno.readTextFileSync(join(plugin, "config.schema.json")));

    // What a killed install left goes, what another one is writing stays.
    for (const [name, age] of [["old", 3600], ["new", 0]] as const) {
      Deno.writeTextFileSync(join(plugin, `.plexum-${name}.tmp`), "");
      const time = Date.now() / 1000 - age;
      Deno.utimeSync(join(plugin, `.plexum-${name}.tmp`), time, time);
    }
    const again = await run(["install", "--profile", profile, "--allow"], { env });
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(again.stdout.match(/^ {2}(keep|create|replace|edit)/gm), [
      "  keep",
      "  keep",
      "  keep",
      "  keep",
      "  create",
    ]);
    const third = await run(["install", "--profile", profile, "--allow"], {
      env,
      program: join(plugin, PROGRAM),
    });
    assert.doesNotMatch(third.stdout, /^ {2}(create|replace|edit)/m);
    assert.deepEqual(
      [...Deno.readDirSync(plugin)].map(({ name }) => name).sort(),
      [".plexum-new.tmp", "config.json", "config.schema.json", "manifest.json", PROGRAM],
    );
  },
);

Deno.test(
  { name: "install --allow edits plexum.json and keeps it as it was beside it", ignore },
  async () => {
    using folder = new Folder();
    const profile = folder.at("profile");
    Deno.mkdirSync(profile);
    const real = folder.at("shared.json");
    const text = `{\n  // the host's\n  "plugins": {\n    "allow": ["other"] // more\n  }\n}\n`;
    Deno.writeTextFileSync(real, text, { mode: 0o640 });
    Deno.symlinkSync(real, join(profile, "plexum.json"));
    const env = { PATH: "/usr/bin:/bin", HOME: folder.path };

    const ran = await run(["install", "--profile", profile, "--allow"], { env });
    assert.equal(ran.code, 0, ran.stderr);
    const edited = Deno.readTextFileSync(real);
    assert.deepEqual(parse(edited), { plugins: { allow: [NAME, "other"] } });
    assert.match(edited, /^ {2}\/\/ the host's$[^]*\] \/\/ more$/m);
    assert.equal(modeOf(real), 0o640);
    assert.ok(Deno.lstatSync(join(profile, "plexum.json")).isSymlink);
    const backup = [...Deno.readDirSync(folder.path)].find(({ name }) => name.endsWith(".bak"));
    assert.equal(Deno.readTextFileSync(folder.at(backup?.name ?? "none")), text);

    const removed = await run(["uninstall", "--profile", profile], { env });
    assert.equal(removed.code, 0, removed.stderr);
    assert.deepEqual(parse(Deno.readTextFileSync(real)), parse(text));
    assert.match(removed.stdout, /^Kept: .*config\.json \(--purge/m);

    const purged = await run(["uninstall", "--profile", profile, "--purge"], { env });
    assert.equal(purged.code, 0, purged.stderr);
    assert.deepEqual([...Deno.readDirSync(join(profile, "plugins"))], []);
    const nothing = await run(["uninstall", "--profile", profile, "--purge"], { env });
    assert.match(nothing.stdout, /is not installed in/);
    assert.equal(nothing.code, 0);
  },
);

Deno.test({
  name: "install changes nothing where config.json or plexum.json cannot be used",
  ignore,
}, async () => {
  using folder = new Folder();
  const profile = folder.at("profile");
  const plugin = join(profile, "plugins", NAME);
  Deno.mkdirSync(plugin, { recursive: true });
  const env = { PATH: "/usr/bin:/bin", HOME: folder.path };
  Deno.writeTextFileSync(join(plugin, "config.json"), `{ "sandbox": "none" }`);
  const broken = await run(["install", "--profile", profile], { env });
  assert.equal(broken.code, 78);
  assert.match(broken.stderr, /config .*config\.json: sandbox: expected one of "read-only"/);

  Deno.writeTextFileSync(join(plugin, "config.json"), `{}`);
  Deno.writeTextFileSync(join(profile, "plexum.json"), `{ "plugins": `);
  const host = await run(["install", "--profile", profile, "--allow"], { env });
  assert.equal(host.code, 1);
  assert.match(
    host.stderr,
    /^Cannot use .*plexum\.json: .* at line 1, column 14\. Repair it first/,
  );
  assert.deepEqual([...Deno.readDirSync(plugin)].map(({ name }) => name), ["config.json"]);
});

Deno.test(
  { name: "install upgrades while a host runs the old one, and keeps the old one", ignore },
  async () => {
    using folder = new Folder();
    const profile = folder.at("p");
    const plugin = join(profile, "plugins", NAME);
    const program = join(plugin, PROGRAM);
    const env = { PATH: "/usr/bin:/bin", HOME: folder.path, PLEXUM_PROFILE_ROOT: profile };
    Deno.mkdirSync(plugin, { recursive: true });
    Deno.writeFileSync(program, olderBuild((await executable()).command), { mode: 0o755 });
    Deno.writeTextFileSync(join(plugin, "manifest.json"), `{"version":"0.0.9"}\n`);
    await using host = await startHost({ env, command: { command: program, args: [] } });
    assert.equal((await host.initialize()).serverInfo.version, "0.0.9");

    const ran = await run(["install"], { env });
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /replaces version 0\.0\.9, kept as\s+\S*\.previous/);
    assert.match(ran.stdout, /restart the host/);
    await host.request("ping", {});
    const said = async (path: string) =>
      (await run(["--version"], { program: path })).stdout.trim();
    assert.equal(await said(program), `${PROGRAM} ${VERSION}`);
    assert.equal(await said(`${program}.previous`), `${PROGRAM} 0.0.9`);
  },
);

/** The same program, but for the version it says: same length, so that it still runs. */
function olderBuild(path: string): Uint8Array {
  const bytes = Deno.readFileSync(path);
  const wanted = new TextEncoder().encode(`"${VERSION}"`);
  const older = new TextEncoder().encode(`"0.0.9"`);
  assert.equal(wanted.length, older.length);
  for (let at = bytes.indexOf(0x22); at >= 0; at = bytes.indexOf(0x22, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) bytes.set(older, at);
  }
  return bytes;
}
