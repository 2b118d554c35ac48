/**
 * A world of its own for one test: profile, codex home, workspace, runtime and temp folders below
 * one root, a scripted model, and an environment that is written from scratch.
 *
 * `await using sandbox = await openSandbox({ binary })` removes all of it at the end, and fails when
 * a process of this world is still alive then.
 */
import { join } from "@std/path";
import { type ScriptedModel, startScriptedModel } from "./model/server.ts";
import { providerToml } from "./model/provider.ts";
import type { ScriptedStep } from "./model/step.ts";
import { newTestFolder } from "./cache.ts";
import { layDatabases } from "./codex.ts";
import { type FakeCodex, fakeCodex, type Scenario } from "./fake_codex.ts";
import { sandboxHere } from "./user_namespaces.ts";
import { noProcessUnder, type Process, processesUnder } from "./processes.ts";

/** What the world is made with. */
export interface SandboxOptions {
  /**
   * The codex for the plugin's config: a path (native binary, npm launcher), what a fake one does, or the
   * text of a program.
   */
  binary: string | Scenario | { program: string };
  /** The model's script; without a step left it says "ok". */
  steps?: ScriptedStep[];
  fallback?: ScriptedStep;
  /** More keys of the plugin's config.json. */
  config?: Record<string, unknown>;
  /** The model named in codex's config.toml; `gpt-5.5` when left out. */
  modelName?: string;
  /** More lines of codex's config.toml. */
  codexToml?: string;
  /** codex starts as for somebody who has just installed it, with all that takes its time. */
  ordinary?: boolean;
}

/** The world; every path is absolute and, but for `state`, exists. */
export interface Sandbox extends AsyncDisposable {
  root: string;
  home: string;
  profile: string;
  /** The plugin's own files. */
  state: string;
  codexHome: string;
  workspace: string;
  runtime: string;
  temp: string;
  model: ScriptedModel;
  /** The path of the codex that it was made with. */
  binary: string;
  /** Where that is a fake one; throws otherwise. */
  fake: FakeCodex;
  /** The whole environment of the plugin: nothing else is handed on. */
  env: Record<string, string>;
  /** Another workspace beside the first. */
  newWorkspace(name: string): Promise<string>;
  /** Writes the plugin's config.json anew, over `binary` and the keys given at the start. */
  configure(config: Record<string, unknown>): Promise<void>;
  /** Processes of this world that live now. */
  processes(): Promise<Process[]>;
}

/** codex without what reaches for the network or costs start-up time and matters to no test. */
export const LEAN_TOML = `
[features]
plugins = false
apps = false
shell_snapshot = false

[skills.bundled]
enabled = false

[analytics]
enabled = false
`;

/** Makes the folders, starts the model, writes both configurations. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const root = newTestFolder();
  const folder = async (name: string): Promise<string> => {
    await Deno.mkdir(join(root, name), { mode: 0o700, recursive: true });
    return join(root, name);
  };
  const [home, profile, codexHome] = [
    await folder("home"),
    await folder("p"),
    await folder("codex"),
  ];
  const [workspace, runtime, temp] = [await folder("w"), await folder("rt"), await folder("tmp")];
  // At each start codex asks `lsb_release`, where there is one: a script of ten programs, a quarter of
  // the processor time that a short turn takes. Here it says nothing.
  const programs = await folder("bin");
  if (!options.ordinary) await Deno.symlink("/bin/true", join(programs, "lsb_release"));
  const model = startScriptedModel({
    steps: options.steps ?? [],
    ...(options.fallback ? { fallback: options.fallback } : {}),
  });
  const toml = providerToml(model.url, options.modelName) + (options.ordinary ? "" : LEAN_TOML) +
    (options.codexToml ?? "");
  await Deno.writeTextFile(join(codexHome, "config.toml"), toml);

  const { binary: codex } = options;
  const fake = typeof codex !== "string" && "acts" in codex
    ? await fakeCodex(root, codex)
    : undefined;
  const binary = typeof codex === "string" ? codex : fake?.path ?? join(root, "program", "codex");
  if (typeof codex !== "string" && "program" in codex) {
    await folder("program");
    await Deno.writeTextFile(binary, codex.program, { mode: 0o755 });
  }
  await layDatabases(binary, codexHome);
  const configure = async (config: Record<string, unknown>): Promise<void> => {
    const path = join(await folder("p/plugins/plexum-openai-provider"), "config.json");
    // Not what it would be without a word: most of what is tried is the same in both ways.
    const whole = { binary, transport: "exec", ...sandboxHere(), ...options.config, ...config };
    await Deno.writeTextFile(path, JSON.stringify(whole, null, 2) + "\n");
  };
  await configure({});
  // Each codex reads all certificates of the machine; the model here speaks plain HTTP.
  const certificates: Record<string, string> = options.ordinary
    ? {}
    : { SSL_CERT_FILE: "/dev/null" };

  return {
    ...{ root, home, profile, state: join(profile, "plugins/plexum-openai-provider/state") },
    ...{ codexHome, workspace, runtime, temp, model, binary },
    get fake() {
      if (fake === undefined) throw new TypeError(`${binary} is no fake codex`);
      return fake;
    },
    env: {
      HOME: home,
      PATH: `${programs}:${Deno.env.get("PATH") ?? "/usr/bin:/bin"}`,
      CODEX_HOME: codexHome,
      PLEXUM_PROFILE_ROOT: profile,
      XDG_RUNTIME_DIR: runtime,
      TMPDIR: temp,
      ...certificates,
    },
    newWorkspace: folder,
    configure,
    processes: () => processesUnder(root),
    async [Symbol.asyncDispose]() {
      try {
        await model.close();
      } finally {
        await noProcessUnder(root).finally(() => Deno.remove(root, { recursive: true }));
      }
    },
  };
}
