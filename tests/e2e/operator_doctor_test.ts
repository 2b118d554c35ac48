/**
 * `doctor` on an installation that is fine, and on one from which something was taken away: each
 * time exactly that is named.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { Folder, isCompiled, run } from "../plugin/operator/command_line.ts";
import { codexBinary, NEWEST_CODEX } from "../support/codex.ts";
import { fakeCodex } from "../support/fake_codex.ts";
import { canGiveAway } from "../support/other_user.ts";
import { skipped } from "../support/skipped.ts";
import { codexCanSandbox, sandboxHere } from "../support/user_namespaces.ts";

const NAME = "plexum-openai-provider";
const ignore = !await isCompiled();
const KEY = "sk-proj-0123456789abcdefghij";

interface Result {
  id: string;
  status: string;
  summary: string;
  detail: string;
  remedy: string;
  command: string;
}

/** An installed plugin with everything it needs. */
class Installation implements Disposable {
  readonly folder = new Folder();
  readonly profile = this.folder.at("p");
  readonly plugin = join(this.profile, "plugins", NAME);
  readonly codexHome = this.folder.at("codex");
  readonly env: Record<string, string> = {
    HOME: this.folder.path,
    PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
    PLEXUM_PROFILE_ROOT: this.profile,
    CODEX_HOME: this.codexHome,
    XDG_RUNTIME_DIR: this.folder.at("rt"),
    TMPDIR: this.folder.at("tmp"),
  };

  static async make(): Promise<Installation> {
    const made = new Installation();
    for (const name of ["codex", "rt", "tmp"]) {
      Deno.mkdirSync(made.folder.at(name), { mode: 0o700 });
    }
    Deno.writeTextFileSync(
      join(made.codexHome, "auth.json"),
      JSON.stringify({ OPENAI_API_KEY: KEY }),
      { mode: 0o600 },
    );
    Deno.mkdirSync(made.plugin, { recursive: true, mode: 0o700 });
    made.configure({ binary: (await codexBinary(NEWEST_CODEX)).native });
    const installed = await run(["install", "--allow"], { env: made.env });
    assert.equal(installed.code, 0, installed.stderr);
    return made;
  }

  configure(config: Record<string, unknown>): void {
    const path = join(this.plugin, "config.json");
    // Where codex's sandbox cannot work, a broken one would be one thing more to find.
    const whole = { ...sandboxHere(), ...config };
    Deno.writeTextFileSync(path, JSON.stringify(whole), { mode: 0o600 });
  }

  async doctor(...options: string[]): Promise<{ code: number; results: Result[]; said: string }> {
    const { code, stdout, stderr } = await run(["doctor", "--json", ...options], { env: this.env });
    assert.equal(stderr, "");
    const report: { schema: number; status: string; checks: Result[] } = JSON.parse(stdout);
    assert.equal(report.schema, 2);
    assert.equal(code, report.status === "fail" ? 1 : 0);
    const results = report.checks.filter(({ id, status }) =>
      codexCanSandbox() || id !== "codex_sandbox" || status !== "warn"
    );
    return { code, results, said: stdout };
  }

  /** What is not as it should be. */
  async reds(): Promise<Record<string, Result>> {
    const { results } = await this.doctor();
    return Object.fromEntries(
      results.filter(({ status }) => status === "fail").map((result) => [result.id, result]),
    );
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

Deno.test({
  name: "doctor --deep is all green on a fresh installation, and keeps the key to itself",
  ignore: ignore || skipped(!codexCanSandbox(), "doctor that finds all well: codex cannot sandbox"),
}, async () => {
  using made = await Installation.make();
  const { code, results, said } = await made.doctor("--deep");
  assert.deepEqual(results.filter(({ status }) => status !== "ok"), []);
  assert.equal(code, 0);
  assert.deepEqual(results.slice(-2).map(({ id }) => id), ["deep_turn", "codex_tested"]);
  assert.ok(!said.includes(KEY.slice(0, 12)));
  const left = [...Deno.readDirSync(made.env.TMPDIR ?? "")].map(({ name }) => name);
  assert.deepEqual(left.filter((name) => !name.startsWith("codex-")), [], "nothing is left");
  assert.deepEqual([...Deno.readDirSync(made.env.XDG_RUNTIME_DIR ?? "")], []);
  assert.ok(![...Deno.readDirSync(made.codexHome)].some(({ name }) => name === "sessions"));

  // What passed is remembered for this binary.
  const short = await run(["doctor"], { env: made.env });
  assert.match(short.stdout, /^All \d+ checks are fine\.\n$/);
  const people = await run(["doctor", "--verbose"], { env: { ...made.env, COLUMNS: "80" } });
  assert.match(people.stdout, /\n\nAll \d+ checks are fine\.\n$/);
  for (const line of people.stdout.split("\n")) {
    assert.ok([...line].length <= 80 || /^.{27}\S+$/.test(line), line); // a path is not broken
  }
});

Deno.test(
  { name: "doctor names each thing that is missing, and nothing else", ignore },
  async (t) => {
    using made = await Installation.make();
    const binary = (await codexBinary(NEWEST_CODEX)).native;

    await t.step("no codex", async () => {
      made.configure({ binary: "codex-that-is-nowhere" });
      const reds = await made.reds();
      assert.match(reds.codex_binary?.summary ?? "", /no executable "codex-that-is-nowhere" found/);
      assert.match(reds.codex_binary?.detail ?? "", /^not in \/usr\/bin$/m);
      assert.match(reds.codex_binary?.command ?? "", /npm install -g @openai\/codex/);
      assert.deepEqual(Object.keys(reds), ["codex_binary"], "one cause, one failure");
      const { results } = await made.doctor();
      const skipped = results.filter(({ status }) => status === "skipped");
      assert.deepEqual(
        new Set(skipped.map(({ summary }) => summary)),
        new Set([
          "not checked: codex_binary failed",
        ]),
      );
      const { stdout } = await run(["doctor"], { env: made.env });
      assert.match(stdout, /^FAIL codex_binary /);
      assert.match(stdout, /\n1 failed, \d skipped, \d+ fine \(--verbose lists them\)\.\n$/);
    });

    await t.step("something that is not codex", async () => {
      for (const path of ["/bin/ls", "/bin/bash"]) {
        made.configure({ binary: path });
        const reds = await made.reds();
        assert.deepEqual(Object.keys(reds), ["codex_binary"], path);
        assert.match(reds.codex_binary?.summary ?? "", /is not the codex CLI, or does not start/);
      }
    });

    await t.step("an old codex", async () => {
      const old = await fakeCodex(made.folder.path, {
        acts: [],
        version: "0.99.0",
        loggedIn: true,
      });
      made.configure({ binary: old.path });
      const reds = await made.reds();
      assert.deepEqual(Object.keys(reds), ["codex_version"]);
      const { codex_version: red } = reds;
      assert.match(red?.summary ?? "", /is version 0\.99\.0, at least 0\.135\.0 is needed/);
      assert.match(red?.command ?? "", /npm install -g @openai\/codex@latest/);
    });

    await t.step("logged out", async () => {
      made.configure({ binary });
      Deno.renameSync(join(made.codexHome, "auth.json"), join(made.codexHome, "away"));
      const reds = await made.reds();
      assert.deepEqual(Object.keys(reds), ["codex_login"]);
      assert.equal(
        reds.codex_login?.command,
        `CODEX_HOME=${made.codexHome} ${binary} login`,
        "runs as printed",
      );
    });

    await t.step("logged out, with a provider of one's own", async () => {
      const toml = join(made.codexHome, "config.toml");
      const provider = `model_provider = "lab"\n[model_providers.lab]\nname = "lab"\n`;
      Deno.writeTextFileSync(toml, provider);
      assert.deepEqual(await made.reds(), {});
      Deno.writeTextFileSync(toml, `${provider}env_key = "LAB_KEY"\n`);
      const { codex_login: red } = await made.reds();
      assert.match(red?.summary ?? "", /needs the variable LAB_KEY, which is not set/);
      made.configure({ binary, env: { LAB_KEY: "x" } });
      assert.deepEqual(await made.reds(), {});
      made.configure({ binary });
      Deno.removeSync(toml);
      Deno.renameSync(join(made.codexHome, "away"), join(made.codexHome, "auth.json"));
    });

    await t.step("an agent whose account is not logged in, not there or not readable", async () => {
      const own = (name: string) => ({ env: { CODEX_HOME: made.folder.at(name) } });
      const agents = { cx: own("cx"), dx: own("cx"), ex: own("ex"), fx: { sandbox: "read-only" } };
      made.configure({ binary, agents });
      Deno.mkdirSync(made.folder.at("cx"), { mode: 0o700 });
      const reds = await made.reds();
      assert.deepEqual(Object.keys(reds), ["codex_login:cx", "codex_home:ex"]);
      assert.equal(reds["codex_login:cx"]?.summary, "codex is not logged in, and for dx");
      const { "codex_login:cx": login, "codex_home:ex": missing } = reds;
      assert.equal(login?.command, `CODEX_HOME=${made.folder.at("cx")} ${binary} login`);
      assert.equal(missing?.command, `mkdir -m 700 ${made.folder.at("ex")}`);
      const { results } = await made.doctor();
      const skipped = results.find(({ id }) => id === "codex_login:ex");
      assert.equal(skipped?.summary, "not checked: codex_home:ex failed");

      Deno.copyFileSync(join(made.codexHome, "auth.json"), join(made.folder.at("cx"), "auth.json"));
      made.configure({ binary, agents: { cx: own("cx") } });
      const { stdout } = await run(["doctor"], { env: made.env });
      if (codexCanSandbox()) assert.match(stdout, /^All \d+ checks are fine\.\n$/);
      else assert.match(stdout, /^WARN codex_sandbox .*\n.*\n1 to know about, \d+ fine /);
      Deno.writeTextFileSync(join(made.folder.at("cx"), "config.toml"), "model = [");
      const { "codex_login:cx": broken } = await made.reds();
      assert.equal(broken?.summary, `${made.folder.at("cx")}/config.toml cannot be read`);
      made.configure({ binary });
    });

    // Nothing is read-only for root: to it, the state of somebody else stands for that.
    const cannot = skipped(
      Deno.uid() === 0 && !canGiveAway(),
      "a state that cannot be written: everything can be written here",
    );
    await t.step({
      name: "a state that cannot be written",
      ignore: cannot,
      fn: async () => {
        const state = join(made.plugin, "state");
        Deno.mkdirSync(state, { mode: 0o700 });
        if (canGiveAway()) Deno.chownSync(state, 65534, 65534);
        else Deno.chmodSync(state, 0o500);
        const reds = await made.reds();
        assert.deepEqual(Object.keys(reds), ["state_directory"]);
        assert.match(reds.state_directory?.remedy ?? "", /mode 0700/);
        Deno.removeSync(state);
      },
    });

    await t.step("a broken config", async () => {
      Deno.writeTextFileSync(join(made.plugin, "config.json"), `{\n  "retries": "two"\n}`);
      const reds = await made.reds();
      assert.deepEqual(Object.keys(reds), ["config"]);
      assert.match(reds.config?.detail ?? "", /retries: expected .*, found string "two"/);
      made.configure({ binary });
    });

    await t.step("a runtime directory with a long path, and one that is not there", async () => {
      const { XDG_RUNTIME_DIR: short = "" } = made.env;
      const long = join(short, "x".repeat(90));
      made.env.XDG_RUNTIME_DIR = long;
      const { results } = await made.doctor();
      const warned = results.filter(({ status }) => status !== "ok");
      assert.deepEqual(warned.map(({ id, status }) => [id, status]), [[
        "runtime_directory",
        "warn",
      ]]);
      assert.match(warned[0]?.summary ?? "", /^XDG_RUNTIME_DIR is passed over, .* is used$/);
      assert.match(warned[0]?.detail ?? "", /leave room for a socket's name/);
      made.env.XDG_RUNTIME_DIR = join(short, "none");
      const gone = (await made.doctor()).results.filter(({ status }) => status !== "ok");
      assert.deepEqual(gone.map(({ id, status }) => [id, status]), [["runtime_directory", "warn"]]);
      assert.match(gone[0]?.remedy ?? "", /Set XDG_RUNTIME_DIR to a directory/);
      made.env.XDG_RUNTIME_DIR = short;
    });

    await t.step("no manifest, and one of another configuration", async () => {
      Deno.removeSync(join(made.plugin, "manifest.json"));
      const { manifest: missing } = await made.reds();
      assert.match(missing?.summary ?? "", /manifest\.json is missing/);
      // The remedy is run as it is printed, by a shell.
      const { code } = new Deno.Command("sh", {
        args: ["-c", missing?.command ?? "false"],
        env: made.env,
        clearEnv: true,
      }).outputSync();
      assert.equal(code, 0);
      made.configure({ binary, supported_models: ["gpt-5.5"] });
      const { manifest: stale } = await made.reds();
      assert.match(stale?.summary ?? "", /is not what the configuration and this version say/);
      await run(["install"], { env: made.env });
      assert.deepEqual(await made.reds(), {});
      made.configure({ binary });
      await run(["install"], { env: made.env });
    });

    await t.step("a plugin that others can change", async () => {
      Deno.chmodSync(made.plugin, 0o777);
      const reds = await made.reds();
      assert.deepEqual(Object.keys(reds), ["profile_permissions"]);
      Deno.chmodSync(made.plugin, 0o700);
    });

    await t.step("what a killed plugin left, and consumes that wait", async () => {
      const id = "01a2033c-52d1-7b70-b23b-5363e2ac6ad0";
      const turn = join(made.plugin, "state", "running", id);
      Deno.mkdirSync(turn, { recursive: true, mode: 0o700 });
      Deno.chmodSync(join(made.plugin, "state"), 0o700);
      Deno.writeTextFileSync(join(turn, "lock"), "");
      Deno.writeTextFileSync(join(made.plugin, "state", `${id}.pending`), "{}");
      const { code, results } = await made.doctor();
      assert.equal(code, 0);
      const warned = results.filter(({ status }) => status === "warn");
      assert.deepEqual(warned.map(({ id, summary }) => [id, summary]), [
        ["stale_turns", "1 turn of a plugin that was killed"],
        ["pending_consumes", "consumes of 1 thread wait"],
      ]);
      Deno.removeSync(join(made.plugin, "state"), { recursive: true });
    });

    await t.step("a sandbox that does not work here", async () => {
      const fake = await fakeCodex(made.folder.path, { acts: [], loggedIn: true });
      made.configure({ binary: fake.path, sandbox: "workspace-write" });
      const reds = await made.reds();
      assert.deepEqual(Object.keys(reds), ["codex_sandbox"]);
      made.configure({ binary });
    });

    await t.step("nothing is red again", async () => assert.deepEqual(await made.reds(), {}));
  },
);
