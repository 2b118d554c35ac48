/**
 * Every option of `config.json`: its type, its default and what it does, in one place. The docs'
 * table, the editor's schema and the comments of a fresh `config.json` are made from this file.
 *
 * @module
 */
import { isAbsolute } from "@std/path";
import * as z from "zod/mini";
import { LOG_LEVELS } from "../protocol.ts";

const says = (text: string) => z.describe(text);
/** A longer timer would fire at once. 24 days; "no limit" is 0. */
const LONGEST_MS = 2 ** 31 - 1;
const milliseconds = z.int().check(z.minimum(0), z.maximum(LONGEST_MS));

const AbsolutePath = z.string().check(z.refine(isAbsolute, "an absolute path"));

/** What codex reads relative to its working directory means another thing in each workspace. */
const Arguments = z.array(z.string()).check(
  z.refine(
    (args) => !args.some((arg, at) => isRelativePath(arg, args[at - 1])),
    "absolute paths for --add-dir and for keys that end in _file, _dir or _home",
  ),
);

function isRelativePath(arg: string, before = ""): boolean {
  const value = before === "--add-dir"
    ? arg
    : /^(?:--add-dir|(?:(?:-c|--config)=?)?[\w.-]+_(?:file|dir|home)) *= *["']?([^"']+)/.exec(arg)
      ?.[1];
  return value !== undefined && !isAbsolute(value);
}

const Variables = z.record(z.string(), z.string()).check(
  z.refine((env) => !env.CODEX_HOME?.startsWith("~"), {
    error: "an absolute path, for no shell reads it",
    path: ["CODEX_HOME"],
  }),
);

const Sandbox = z.enum(["read-only", "workspace-write", "danger-full-access"]);

const Transport = z.enum(["auto", "app-server", "exec"]);

const Timeouts = z.looseObject({
  start_ms: z._default(
    milliseconds.check(says("How long codex may take to announce its thread. 0: no limit.")),
    120_000,
  ),
  silence_ms: z._default(
    milliseconds.check(
      says("How long a turn may print nothing and record nothing while no tool runs. 0: no limit."),
    ),
    600_000,
  ),
  tool_silence_ms: z._default(
    milliseconds.check(says("The same while a tool call is open. 0: no limit.")),
    3_600_000,
  ),
  reconnect_ms: z._default(
    milliseconds.check(
      says("How long codex may go on reconnecting to the model without progress. 0: no limit."),
    ),
    120_000,
  ),
  total_ms: z._default(
    milliseconds.check(says("How long a whole turn may take. 0: no limit.")),
    0,
  ),
  grace_ms: z._default(
    milliseconds.check(
      says("How long a cancelled codex may take to end by itself before it is killed."),
    ),
    3_000,
  ),
});

const Warm = z.looseObject({
  idle_ms: z._default(
    milliseconds.check(
      says("How long a codex that is kept may wait for its next turn. 0: it is not kept."),
    ),
    300_000,
  ),
  max: z._default(
    z.int().check(
      z.minimum(0),
      says("How many codex may be kept between turns, over all workspaces. 0: none."),
    ),
    8,
  ),
  spare: z._default(
    z.boolean().check(says("Whether one more codex is started ahead of the turn that needs it.")),
    true,
  ),
});

const State = z.looseObject({
  keep_days: z._default(
    z.int().check(
      z.minimum(1),
      z.maximum(36_500),
      says(
        "How long what is no longer needed stays on disk: threads whose session file or workspace is gone, files that were set aside, consumes that could not be done, backups of plexum.json that earlier versions left.",
      ),
    ),
    90,
  ),
});

/** What a model or an agent may change for itself. */
const Override = z.looseObject({
  sandbox: z.optional(Sandbox.check(says("Overrides `sandbox`."))),
  args: z.optional(
    Arguments.check(says("More codex arguments, after `extra_args`.")),
  ),
  timeouts: z.optional(
    z.partial(z.looseObject({
      start_ms: milliseconds,
      silence_ms: milliseconds,
      tool_silence_ms: milliseconds,
      reconnect_ms: milliseconds,
      total_ms: milliseconds,
      grace_ms: milliseconds,
    })).check(says("Overrides single `timeouts`.")),
  ),
  transport: z.optional(Transport.check(says("Overrides `transport`."))),
  warm: z.optional(
    z.partial(z.looseObject({ idle_ms: milliseconds, spare: z.boolean() })).check(
      says("Overrides `warm.idle_ms` and `warm.spare`."),
    ),
  ),
});

/** An agent can have an account of its own. */
const AgentOverride = z.extend(Override, {
  env: z.optional(
    Variables.check(
      says("More environment variables, e.g. a CODEX_HOME with a login of its own."),
    ),
  ),
});

/** The schema of `config.json`. Unknown keys are kept and warned about, never an error. */
export const ConfigSchema = z.looseObject({
  $schema: z.optional(z.string().check(says("Where an editor finds the schema of this file."))),
  binary: z._default(
    z.string().check(
      z.minLength(1),
      says("The codex to run: a name looked up on PATH and in the usual places, or a path."),
    ),
    "codex",
  ),
  extra_args: z._default(
    Arguments.check(
      says(
        "Arguments added to codex, however it is run. Any but `-c`, `--enable`, `--disable` and `--strict-config` has turns run by `codex exec`.",
      ),
    ),
    [],
  ),
  supported_models: z._default(
    z.array(z.string()).check(
      says('The model ids this plugin offers to the host. Empty: only "codex".'),
    ),
    [],
  ),
  model_args: z._default(
    z.record(z.string(), z.string()).check(
      says('From a model id of the host to codex\'s `--model`. "codex" needs none.'),
    ),
    {},
  ),
  sandbox: z._default(
    Sandbox.check(says("What codex's own tools may touch (codex `--sandbox`).")),
    "workspace-write",
  ),
  writable_roots: z._default(
    z.array(AbsolutePath).check(
      says(
        "More directories that a `workspace-write` sandbox may write. Absolute paths. Empty: those of codex's own config.toml.",
      ),
    ),
    [],
  ),
  network_access: z._default(
    z.boolean().check(
      says(
        "Whether commands in a `workspace-write` sandbox reach the network. `false`: as codex's own config.toml says; without a word there they do not.",
      ),
    ),
    false,
  ),
  trust_workspace: z._default(
    z.boolean().check(
      says(
        "Whether codex may believe `.codex/` in the workspace (MCP servers, hooks, settings). An agent that may write there could run anything outside its sandbox. While off, codex 0.150 to 0.159, run by `codex exec`, leaves out AGENTS.md, too.",
      ),
    ),
    false,
  ),
  env: z._default(
    Variables.check(
      says("Environment variables added to codex's own. CODEX_HOME may be set here."),
    ),
    {},
  ),
  on_lost_session: z._default(
    z.enum(["fresh", "fail"]).check(
      says(
        "When codex no longer has the thread: start a new one with the conversation as context, or fail with `session_lost`.",
      ),
    ),
    "fresh",
  ),
  older_codex: z._default(
    z.enum(["refuse", "resume"]).check(
      says(
        "When codex is older than 0.148 and the thread is of a later one, which could never resume it again: fail with `codex_too_old`, or resume it all the same.",
      ),
    ),
    "refuse",
  ),
  retries: z._default(
    z.int().check(
      z.minimum(0),
      says(
        "How often a turn is started again when codex ended before it announced its thread. 0: never.",
      ),
    ),
    2,
  ),
  max_parallel_turns: z._default(
    z.int().check(
      z.minimum(0),
      says("How many turns may run at once, over all workspaces. 0: no limit."),
    ),
    0,
  ),
  timeouts: z._default(
    Timeouts.check(says("Limits of a turn.")),
    () => z.parse(Timeouts, {}),
  ),
  transport: z._default(
    Transport.check(
      says(
        "How codex is run: a process for each turn (`exec`), or one that stays and tells answers as they are written, where that can be (`app-server`). `auto`: the plugin chooses, today as `app-server` does.",
      ),
    ),
    "auto",
  ),
  warm: z._default(
    Warm.check(says("How codex is kept between turns where it stays; nothing for `exec`.")),
    () => z.parse(Warm, {}),
  ),
  mcp_registration: z._default(
    z.enum(["per-run", "codex-config"]).check(
      says(
        "How codex learns of the host's tools: by arguments of each run, or by `codex mcp add`.",
      ),
    ),
    "per-run",
  ),
  user_mcp_servers: z._default(
    z.enum(["keep", "disable"]).check(
      says("Whether the MCP servers in codex's own config.toml stay on during a turn."),
    ),
    "keep",
  ),
  tool_timeout_ms: z._default(
    milliseconds.check(z.minimum(1), says("How long one host tool call may take.")),
    600_000,
  ),
  tool_result_max_bytes: z._default(
    z.int().check(
      z.minimum(1024),
      says("Largest host tool result handed to codex; a longer one is cut with a marker."),
    ),
    1_048_576,
  ),
  state: z._default(
    State.check(says("What the plugin keeps on disk.")),
    () => z.parse(State, {}),
  ),
  log_level: z._default(
    z.enum(LOG_LEVELS).check(
      says("Least urgent log level sent to the host, until the host sets another."),
    ),
    "info",
  ),
  models: z._default(
    z.record(z.string(), Override).check(says("Overrides by the host's model id.")),
    {},
  ),
  agents: z._default(
    z.record(z.string(), AgentOverride).check(
      says("Overrides by agent id; they win over `models`."),
    ),
    {},
  ),
});

/** The effective configuration: every option has a value. */
export type Config = z.infer<typeof ConfigSchema>;
/** What a model or an agent may change for itself. */
export type Override = z.infer<typeof Override>;
