/** What a person gets who runs the executable: answers, explanations and exit codes. */
import { strict as assert } from "node:assert";
import { executable } from "../support/checkout.ts";
import { type Ran, run } from "../plugin/operator/command_line.ts";

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

Deno.test("manifest prints the manifest also when the configuration is broken", async () => {
  const { code, stdout } = await run(["manifest"], { env: { PLEXUM_PROFILE_ROOT: "/nowhere" } });
  assert.equal(code, 0);
  const manifest: Record<string, unknown> = JSON.parse(stdout);
  assert.equal(manifest.name, "plexum-openai-provider");
  assert.deepEqual(manifest.contracts, { provider: { models: ["codex"] } });
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
  ignore: !hasScript,
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
