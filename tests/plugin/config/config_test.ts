/**
 * config.json: what it may say, what it means when it says nothing, and every way to get it wrong.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import {
  ConfigFile,
  loadConfig,
  type LoadedConfig,
  parseConfig,
} from "../../../plugin/config/config.ts";
import { failing } from "../../support/failing_system.ts";

const PATH = "/p/config.json";

function refused(text: string): string {
  try {
    parseConfig(text, PATH);
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.equal(error.name, "ConfigError");
    return error.message;
  }
  throw new Error(`accepted: ${text}`);
}

async function inFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("config that is missing, empty or blank is the default one", async () => {
  await inFolder((folder) => {
    const missing = loadConfig(join(folder, "config.json"));
    assert.deepEqual(missing.warnings, []);
    const { binary, extra_args, supported_models, model_args, sandbox } = missing.config;
    assert.deepEqual(
      { binary, extra_args, supported_models, model_args, sandbox },
      {
        binary: "codex",
        extra_args: [],
        supported_models: [],
        model_args: {},
        sandbox: "workspace-write",
      },
    );
    for (const text of ["", " \n", "\uFEFF", "{}", "\uFEFF{}", "// nothing\n{}"]) {
      assert.deepEqual(parseConfig(text, PATH), missing);
    }
  });
});

Deno.test("config may have comments and trailing commas", () => {
  const { config, warnings } = parseConfig(
    `{
      // the one in my home
      "binary": "/opt/codex", /* pinned */
      "extra_args": ["-c", "a=1",],
      "supported_models": ["codex", "fast"],
      "model_args": {"fast": "gpt-5.5-mini",},
    }`,
    PATH,
  );
  assert.deepEqual(warnings, []);
  assert.equal(config.binary, "/opt/codex");
  assert.deepEqual(config.extra_args, ["-c", "a=1"]);
  assert.deepEqual(config.supported_models, ["codex", "fast"]);
  assert.deepEqual(config.model_args, { fast: "gpt-5.5-mini" });
});

Deno.test("config leaves an option that is null, or a binary without a name, at its default", () => {
  const text = '{"binary": "", "extra_args": null, "model_args": null, "timeouts": null}';
  assert.deepEqual(parseConfig(text, PATH).config, parseConfig("{}", PATH).config);
});

Deno.test("config tells what the file itself says, also behind a byte order mark", () => {
  const text = '\uFEFF{"binary": "x", "extra_args": null}';
  assert.deepEqual(parseConfig(text, PATH).raw, { binary: "x", extra_args: null });
});

Deno.test("config takes absolute paths, and words that are none, in arguments of codex", () => {
  const args = [
    "--add-dir",
    "/a",
    "--add-dir=/b",
    "-c",
    'log_dir="/c"',
    "-c",
    "model=a/b",
    "-p",
    "x",
  ];
  assert.deepEqual(parseConfig(JSON.stringify({ extra_args: args }), PATH).config.extra_args, args);
  for (const arg of ["--add-dir=b", "-clog_dir=b", "--config=sqlite_home='b'", "log_dir = b"]) {
    assert.match(
      refused(JSON.stringify({ extra_args: [arg] })),
      /^config .*: extra_args: expected/,
    );
  }
});

Deno.test("config with single timeouts keeps the others' defaults", () => {
  const { timeouts } = parseConfig('{"timeouts": {"grace_ms": 7}}', PATH).config;
  assert.equal(timeouts.grace_ms, 7);
  assert.equal(timeouts.start_ms, parseConfig("", PATH).config.timeouts.start_ms);
});

Deno.test("config that is no JSONC is refused with line and column", () => {
  assert.match(
    refused('{\n  "extra_args": [],\n  "binary" "x"\n}'),
    /^parse \/p\/config\.json: Cannot parse JSONC: colon expected at line 3, column 12/,
  );
  assert.match(refused("{} x"), /^parse .* at line 1, column 4/);
  assert.match(refused('\n\n{"binary": "x'), /^parse .* line 3/);
});

Deno.test("config that is no JSONC does not show a key of an account", () => {
  const message = refused('{"env": {"OPENAI_API_KEY" "sk-abcdefgh123456"}}');
  assert.match(message, /line 1, column 27/);
  assert.doesNotMatch(message, /abcdefgh/);
});

Deno.test("config that cannot be read is refused with its path", async () => {
  await inFolder((folder) => {
    assert.throws(() => loadConfig(folder), {
      name: "ConfigError",
      message: new RegExp(`^read ${folder}: Is a directory`),
    });
  });
});

const WRONG: Record<string, string> = {
  "[]": "the value: expected object, found array",
  "null": "the value: expected object, found null",
  '{"binary": 5}': "binary: expected string, found number 5",
  '{"binary": {}}': "binary: expected string, found object",
  '{"extra_args": "-v"}': 'extra_args: expected array, found string "-v"',
  '{"extra_args": ["-v", null]}': "extra_args[1]: expected string, found null",
  '{"supported_models": [true]}': "supported_models[0]: expected string, found boolean true",
  '{"model_args": {"a b": 1}}': 'model_args["a b"]: expected string, found number 1',
  '{"sandbox": "none"}':
    'sandbox: expected one of "read-only", "workspace-write", "danger-full-access", found string "none"',
  '{"retries": 1.5}': "retries: expected a whole number, found number 1.5",
  '{"retries": -1}': "retries: expected at least 0, found number -1",
  '{"retries": 1e999}': "retries: expected number, found number Infinity",
  '{"timeouts": {"start_ms": "1s"}}': 'timeouts.start_ms: expected number, found string "1s"',
  '{"models": {"gpt": {"timeouts": {"total_ms": true}}}}':
    "models.gpt.timeouts.total_ms: expected number, found boolean true",
  '{"timeouts": {"silence_ms": 2147483648}}':
    "timeouts.silence_ms: expected at most 2147483647, found number 2147483648",
  '{"tool_timeout_ms": 1e15}':
    "tool_timeout_ms: expected at most 2147483647, found number 1000000000000000",
  '{"tool_timeout_ms": 0}': "tool_timeout_ms: expected at least 1, found number 0",
  '{"warm": {"idle_ms": 1e15}}':
    "warm.idle_ms: expected at most 2147483647, found number 1000000000000000",
  '{"agents": {"cx": {"timeouts": {"grace_ms": 4e9}}}}':
    "agents.cx.timeouts.grace_ms: expected at most 2147483647, found number 4000000000",
  '{"writable_roots": ["/a", "b/c"]}':
    'writable_roots[1]: expected an absolute path, found string "b/c"',
  '{"writable_roots": ["~/c"]}': 'writable_roots[0]: expected an absolute path, found string "~/c"',
  '{"env": {"CODEX_HOME": "~/.codex"}}':
    'env.CODEX_HOME: expected an absolute path, for no shell reads it, found string "~/.codex"',
  '{"agents": {"cx": {"env": {"CODEX_HOME": "~"}}}}':
    'agents.cx.env.CODEX_HOME: expected an absolute path, for no shell reads it, found string "~"',
  '{"extra_args": ["--add-dir", "more"]}':
    "extra_args: expected absolute paths for --add-dir and for keys that end in _file, _dir or _home, found array",
  '{"agents": {"cx": {"args": ["-c", "model_instructions_file=\\"a.md\\""]}}}':
    "agents.cx.args: expected absolute paths for --add-dir and for keys that end in _file, _dir or _home, found array",
  '{"env": []}': "env: expected object, found array",
  '{"transport": "http"}':
    'transport: expected one of "auto", "app-server", "exec", found string "http"',
  '{"agents": {"cx": 1}}': "agents.cx: expected object, found number 1",
};

for (const [text, message] of Object.entries(WRONG)) {
  Deno.test(`config ${text} is refused with its key path, expected and found`, () => {
    assert.equal(refused(text), `config ${PATH}: ${message}`);
  });
}

const UNKNOWN: Record<string, string[]> = {
  '{"biary": "x"}': ['"biary", did you mean "binary"?'],
  '{"extraArgs": []}': ['"extraArgs", did you mean "extra_args"?'],
  '{"zzz": 1}': ['"zzz"'],
  '{"timeouts": {"strat_ms": 1}}': ['"timeouts.strat_ms", did you mean "timeouts.start_ms"?'],
  '{"models": {"gpt": {"timeout": {}}}}': [
    '"models.gpt.timeout", did you mean "models.gpt.timeouts"?',
  ],
  '{"agents": {"cx": {"timeouts": {"totl_ms": 1}}}}': [
    '"agents.cx.timeouts.totl_ms", did you mean "agents.cx.timeouts.total_ms"?',
  ],
  '{"agents": {"cx": {"warm": {"idle_ms": 1, "max": 2}}}}': ['"agents.cx.warm.max"'],
  '{"constructor": 1, "__proto__": {"binary": 5}}': ['"constructor"', '"__proto__"'],
  '{"env": {"ANYTHING": "x"}, "model_args": {"any": "x"}, "$schema": "s"}': [],
};

for (const [text, expected] of Object.entries(UNKNOWN)) {
  Deno.test(`config ${text} is used, with ${expected.length} warnings`, () => {
    const { warnings }: LoadedConfig = parseConfig(text, PATH);
    assert.deepEqual(warnings, expected.map((key) => `config ${PATH}: unknown key ${key}`));
  });
}

/*
 * The configuration while the plugin runs: changed, broken, mended.
 */

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

Deno.test("config file that could not be read is read again, although it has not changed", async () => {
  await withFile((file, warnings) => {
    Deno.writeTextFileSync(file.path, '{"binary": "good"}');
    file.load();
    Deno.writeTextFileSync(file.path, '{"binary": "new one"}');
    {
      using _fault = failing("readTextFileSync", file.path);
      for (const _ of ["first", "again"]) assert.equal(file.current().binary, "good");
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? "", /^read .*\(os error 24\); the last good one stays in use$/);
    }
    assert.equal(file.current().binary, "new one");
  });
});

Deno.test("config file that is empty, as in the middle of a save, keeps the last good one", async () => {
  await withFile((file, warnings) => {
    Deno.writeTextFileSync(file.path, '{"binary": "good"}');
    file.load();
    Deno.writeTextFileSync(file.path, "");
    for (const _ of ["first", "again"]) assert.equal(file.current().binary, "good");
    assert.match(warnings.join(), /^read .*: it is empty; the last good one stays in use$/);
    Deno.writeTextFileSync(file.path, '{"binary": "saved"}');
    assert.equal(file.current().binary, "saved");
  });
});

Deno.test("config whose variable is of the wrong type does not tell its value", () => {
  for (const text of ['{"env":{"PIN":12345678}}', '{"agents":{"cx":{"env":{"PIN":12345678}}}}']) {
    assert.throws(() => parseConfig(text, "c"), /env\.PIN: expected string, found number$/);
  }
  assert.throws(() => parseConfig('{"env":"PIN=1"}', "c"), /env: expected object, found string$/);
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
