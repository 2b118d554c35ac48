/** What a person gets who runs the executable: answers, explanations and exit codes. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { executable } from "../support/checkout.ts";
import { Folder, type Ran, run } from "../plugin/operator/command_line.ts";
import { skipped } from "../support/skipped.ts";

const NAME = "plexum-openai-provider-plugin";

Deno.test("--version prints one line, and with --json all that is known", async () => {
  for (const flag of ["--version", "-V"]) {
    const { code, stdout, stderr } = await run([flag]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^plexum-openai-provider-plugin \d+\.\d+\.\d+\n$/);
  }
  const { code, stdout } = await run(["--version", "--json"]);
  assert.equal(code, 0);
  const all: Record<string, unknown> = JSON.parse(stdout);
  assert.deepEqual(Object.keys(all), ["version", "commit", "deno", "v8", "target"]);
  for (const value of Object.values(all)) assert.ok(typeof value === "string" && value !== "");
});

Deno.test("--help names every command", async () => {
  for (const args of [["--help"], ["-h"], ["help"]]) {
    const { code, stdout, stderr } = await run(args);
    assert.deepEqual([code, stderr], [0, ""]);
    for (const command of ["manifest", "mcp-host", "--version"]) {
      assert.ok(stdout.includes(command), `${command} in:\n${stdout}`);
    }
  }
});

Deno.test("manifest prints the manifest, and does not hide that the configuration is broken", async () => {
  const { code, stdout } = await run(["manifest"], { env: { PLEXUM_PROFILE_ROOT: "/nowhere" } });
  assert.equal(code, 0);
  const manifest: Record<string, unknown> = JSON.parse(stdout);
  assert.equal(manifest.name, "plexum-openai-provider");
  assert.deepEqual(manifest.contracts, { provider: { models: ["codex"] } });

  using folder = new Folder();
  const plugin = folder.at("plugins", "plexum-openai-provider");
  Deno.mkdirSync(plugin, { recursive: true });
  Deno.writeTextFileSync(join(plugin, "config.json"), `{ "retries": "\u202etwo" }`);
  const broken = await run(["manifest"], { env: { PLEXUM_PROFILE_ROOT: folder.path } });
  assert.deepEqual([broken.code, broken.stdout], [78, ""]);
  assert.match(broken.stderr, /config\.json: retries: expected .*, found string "\ufffdtwo"/);
});

Deno.test("every command that reads a profile refuses one that is not there, with 64", async () => {
  using folder = new Folder();
  const env = { HOME: folder.at("nowhere") };
  for (const words of PROFILE_COMMANDS) {
    const { code, stdout, stderr } = await run([...words, "--profile", "/nope"], { env });
    assert.deepEqual([code, stdout], [64, ""], words.join(" "));
    assert.match(stderr, /--profile needs a directory that exists, found "\/nope"/);
  }
});

const PROFILE_COMMANDS = [
  ["uninstall"],
  ["manifest"],
  ["doctor"],
  ["stats"],
  ["config", "check"],
  ["config", "show"],
  ["turn", "hello"],
  ["sessions", "list"],
  ["sessions", "show"],
  ["sessions", "consume", "x", "--all"],
  ["sessions", "forget", "x"],
  ["sessions", "prune"],
  ["sessions", "release", "x"],
];

Deno.test("a command may stand behind --, and help is the same however it is asked for", async () => {
  const { stdout } = await run(["--", "version"]);
  assert.match(stdout, /^plexum-openai-provider-plugin \d/);
  const help = await run(["sessions", "consume", "--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--keep-turns N/);
  assert.deepEqual(await run(["help", "sessions", "consume"]), help);
  const relay = await run(["mcp-host", "--help"]);
  assert.deepEqual([relay.code, relay.stderr], [0, ""]);
  assert.match(relay.stdout, /Usage: plexum-openai-provider-plugin mcp-host/);
  const topic = await run(["help", "errors"]);
  assert.match(topic.stdout, /^auth_required: /m);
  const unknown = await run(["help", "erors"]);
  assert.equal(unknown.code, 64);
  assert.match(unknown.stderr, /unknown command or topic "erors", did you mean "errors"\?/);
});

Deno.test("what a person typed reaches their terminal clean, also in an error", async () => {
  const { stderr } = await run(["\x1b]0;title\x07\u202edoctor\x9b\u200f"]);
  assert.doesNotMatch(stderr, /(?!\n)\p{Cc}|\p{Bidi_Control}/u);
  assert.match(stderr, /unknown command "/);
});

Deno.test("colour is for terminals, unless it is forced; NO_COLOR wins", async () => {
  using folder = new Folder();
  const coloured = async (env: Record<string, string>) =>
    (await run(["config", "show"], { env: { HOME: folder.at("nowhere"), ...env } })).stdout
      .includes("\x1b[");
  assert.equal(await coloured({}), false);
  assert.equal(await coloured({ FORCE_COLOR: "1" }), true);
  assert.equal(await coloured({ CLICOLOR_FORCE: "1" }), true);
  assert.equal(await coloured({ FORCE_COLOR: "0" }), false);
  assert.equal(await coloured({ FORCE_COLOR: "1", NO_COLOR: "1" }), false);
});

Deno.test("lines are not broken in a pipe, and the signs of a locale without UTF-8 are plain", async () => {
  using folder = new Folder();
  const env = { HOME: folder.at("nowhere"), PATH: "/usr/bin:/bin" };
  const wide = await run(["doctor", "--verbose"], { env });
  const narrow = await run(["doctor", "--verbose"], { env: { ...env, COLUMNS: "40" } });
  assert.ok(Math.max(...wide.stdout.split("\n").map(({ length }) => length)) > 120);
  for (const line of narrow.stdout.split("\n")) {
    const copied = /plexum-openai-provider-plugin|npm install|^ +\S+$/.test(line);
    assert.ok(line.length <= 40 || copied, line);
  }
  assert.match(wide.stdout, /→/);
  const plain = await run(["doctor", "--verbose"], { env: { ...env, LC_ALL: "C" } });
  assert.match(plain.stdout, /^[\n\x20-\x7e]+$/);
  // JSON is the same in every locale.
  const schema = await run(["config", "show", "--json", "--agent", "→…"], {
    env: { ...env, LC_ALL: "C" },
  });
  assert.equal(JSON.parse(schema.stdout).agent, "→…");
});

const MISTAKES: [args: string[], code: number, stderr: RegExp][] = [
  [["manifst"], 64, /^unknown command "manifst", did you mean "manifest"\?$/m],
  [["mcphost"], 64, /^unknown command "mcphost", did you mean "mcp-host"\?$/m],
  [["--verison"], 64, /^unknown command "--verison", did you mean "--version"\?$/m],
  [["quite-something-else"], 64, /^unknown command "quite-something-else"$/m],
  [[""], 64, /^unknown command ""$/m],
  [["__proto__"], 64, /^unknown command "__proto__"$/m],
  [["mcp-host", "--bogus"], 1, /^mcp-host: unknown mcp-host flag: --bogus$/m],
  [["mcp-host", "--socket"], 1, /^mcp-host: --socket needs value$/m],
  [["mcp-host", "--agent-id"], 1, /^mcp-host: --agent-id needs value$/m],
];

for (const [args, code, stderr] of MISTAKES) {
  Deno.test(`command line ${JSON.stringify(args)} is refused with ${code}`, async () => {
    const ran: Ran = await run(args);
    assert.match(ran.stderr, stderr);
    assert.deepEqual([ran.code, ran.stdout], [code, ""]);
  });
}

Deno.test("plugin without a home says what to set, without a stack trace", async () => {
  const { code, stdout, stderr } = await run([]);
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^plexum-openai-provider-plugin: Cannot find the Plexum profile: .*\n$/);
});

/** `script` of util-linux, which runs a command on a terminal of its own. */
const hasScript = Deno.build.os === "linux" && await new Deno.Command("script", {
  args: ["--version"],
  stdout: "null",
  stderr: "null",
}).output().then(({ success }) => success, () => false);

Deno.test({
  name: "plugin started at a terminal explains itself and exits with 64",
  ignore: skipped(!hasScript, "there is no `script` that makes a terminal"),
  async fn() {
    const { command, args } = await executable();
    const words = [command, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    const { code, stdout } = await new Deno.Command("script", {
      args: ["-q", "-e", "-c", words.join(" "), "/dev/null"],
      stdin: "null",
    }).output();
    const text = new TextDecoder().decode(stdout).replaceAll("\r", "");
    assert.match(text, /is a Plexum plugin: the Plexum host starts it/);
    assert.ok(text.includes(`${NAME} --help`));
    assert.equal(code, 64);
  },
});
