/**
 * Checks of what lies in the profile, and of what turns left behind.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import * as z from "zod/mini";
import { inWords } from "../../../base/error_message.ts";
import { exists, ownUid, readIfThere } from "../../../base/files.ts";
import { staleTurns } from "../../../runner/process/turn_directory.ts";
import { EXECUTABLE_NAME, manifestFor, PLUGIN_NAME, VERSION } from "../../self.ts";
import { readStats, turnsOf } from "../../stats.ts";
import { many, shellWord } from "../cli/terminal.ts";
import { LINE_TO_ADD, readPlexumJson } from "../setup/plexum_json.ts";
import {
  type Check,
  type DoctorContext,
  fail,
  type Finding,
  isWritable,
  ok,
  warn,
} from "./check.ts";
import { keptMemory, keptText } from "./stats_command.ts";

/** In the order in which one would look. */
export const PLUGIN_CHECKS: readonly Check[] = [
  { id: "plugin_executable", group: "plugin", run: executable },
  { id: "plugin_allowed", group: "plugin", needs: ["plugin_executable"], run: allowed },
  { id: "config", group: "plugin", run: config },
  { id: "manifest", group: "plugin", needs: ["plugin_executable", "config"], run: manifest },
  { id: "profile_permissions", group: "plugin", needs: ["plugin_executable"], run: permissions },
  { id: "state_directory", group: "plugin", run: state },
];

function executable(context: DoctorContext): Finding {
  const { paths, executable: [own = ""] } = context.facts;
  const path = join(paths.plugin, EXECUTABLE_NAME);
  const install = { command: context.command("install") };
  if (!exists(path)) return fail(`the plugin is not installed in ${paths.plugin}`, install);
  const info = Deno.statSync(path);
  if (!info.isFile || ((info.mode ?? 0o755) & 0o100) === 0) {
    return fail(`${path} is not an executable file`, install);
  }
  const same = Deno.realPathSync(path) === Deno.realPathSync(own) ||
    Deno.statSync(own).size === info.size;
  if (same) return ok(`version ${VERSION}`, path);
  const installed = /"version"\s*:\s*"([^"]{1,64})"/.exec(readIfThere(paths.manifest) ?? "")?.[1];
  return warn(
    installed === VERSION
      ? `another build of version ${VERSION} is installed`
      : `this is version ${VERSION}, but ${installed ?? "another one"} is installed`,
    { detail: path, remedy: "To upgrade to this one:", ...install },
  );
}

function allowed(context: DoctorContext): Finding {
  const path = join(context.facts.paths.profile, "plexum.json");
  try {
    const plexum = readPlexumJson(context.facts.paths.profile);
    if (plexum.allowed) return ok("the host may start the plugin", path);
    return warn(`${PLUGIN_NAME} is not in plugins.allow`, {
      detail: plexum.text === undefined ? `there is no ${path}` : `${path} does not allow it`,
      remedy: `Add ${LINE_TO_ADD}, or:`,
      command: context.command("install", "--allow"),
    });
  } catch (error) {
    return fail("plexum.json cannot be read", { remedy: "Repair it.", detail: inWords(error) });
  }
}

function config(context: DoctorContext): Finding {
  const { paths, configError, configWarnings } = context.facts;
  if (configError !== undefined) {
    return fail("config.json cannot be used", {
      detail: configError,
      remedy: `Repair ${paths.config}, then:`,
      command: context.command("config", "check"),
    });
  }
  if (configWarnings.length > 0) {
    return warn("config.json has keys that mean nothing", {
      detail: configWarnings.join("\n"),
      remedy: "Correct or remove them.",
    });
  }
  return ok(exists(paths.config) ? "config.json is fine" : "no config.json: all defaults");
}

function manifest(context: DoctorContext): Finding {
  const { paths, config } = context.facts;
  const install = { command: context.command("install") };
  const text = readIfThere(paths.manifest);
  if (text === undefined) {
    return fail("manifest.json is missing: the host does not see the plugin", install);
  }
  const wanted = manifestFor(config.supported_models);
  try {
    if (JSON.stringify(JSON.parse(text)) === JSON.stringify(wanted)) {
      return ok(`offers ${wanted.contracts.provider.models.join(", ")}`, paths.manifest);
    }
  } catch {
    // Said below.
  }
  return fail("manifest.json is not what the configuration and this version say", {
    detail: "The host reads it before it starts the plugin, and would offer other models.",
    remedy: "Write it anew, then restart the host:",
    ...install,
  });
}

function permissions({ facts: { paths } }: DoctorContext): Finding {
  const loose = new Map<string, string>();
  for (const path of [paths.profile, paths.plugin, join(paths.plugin, EXECUTABLE_NAME)]) {
    if (!exists(path)) continue;
    const { mode, uid } = Deno.statSync(path);
    if (((mode ?? 0) & 0o022) !== 0) loose.set(path, `${path} may be written by others`);
    if (uid !== null && uid !== 0 && uid !== ownUid()) {
      loose.set(path, `${path} belongs to user ${uid}`);
    }
  }
  if (loose.size > 0) {
    return fail("others can change the plugin", {
      detail: [...loose.values()].join("\n"),
      remedy: "As the user who runs Plexum:",
      command: `chmod go-w ${[...loose.keys()].map(shellWord).join(" ")}`,
    });
  }
  const open = exists(paths.config) && ((Deno.statSync(paths.config).mode ?? 0) & 0o077) !== 0;
  return open
    ? warn("others can read config.json", { command: `chmod 600 ${shellWord(paths.config)}` })
    : ok("only this user can change the plugin");
}

function state({ facts: { paths } }: DoctorContext): Finding {
  const { state } = paths;
  if (!exists(state)) {
    let parent = dirname(state);
    while (!exists(parent)) parent = dirname(parent);
    return isWritable(parent)
      ? ok("is made with the first turn", state)
      : fail(`${state} cannot be made: this user may not write ${parent}`, {
        remedy: `Make ${parent} writable for this user.`,
      });
  }
  const info = Deno.lstatSync(state);
  const remedy = `Make ${state} a directory of this user with mode 0700.`;
  if (!info.isDirectory) return fail("the state is not a directory", { remedy });
  if (info.uid !== null && info.uid !== ownUid()) {
    return fail(`the state belongs to user ${info.uid}`, { remedy });
  }
  if (!isWritable(state)) {
    return fail("the state cannot be written: no thread would be remembered", { remedy });
  }
  return ((info.mode ?? 0) & 0o077) === 0
    ? ok("ours alone, and writable", state)
    : warn("others can look into the state", { command: `chmod 700 ${shellWord(state)}` });
}

/** The same for what turns left behind. */
export const TURN_CHECKS: readonly Check[] = [
  { id: "stale_turns", group: "turns", needs: ["state_directory"], run: stale },
  { id: "pending_consumes", group: "turns", needs: ["state_directory"], run: pending },
  { id: "kept_codex", group: "turns", needs: ["state_directory"], run: kept },
  { id: "last_turn", group: "turns", needs: ["state_directory"], run: lastTurn },
];

/** Turns of a plugin that was killed: the next one that starts ends what they left. */
async function stale({ facts: { paths } }: DoctorContext): Promise<Finding> {
  const turns = await staleTurns(paths.running);
  if (turns.length === 0) return ok("nothing is left of a plugin that was killed");
  const processes = turns.reduce((sum, { family }) => sum + family.length, 0);
  return warn(`${many(turns.length, "turn")} of a plugin that was killed`, {
    detail: `processes of theirs that still run: ${processes}`,
    remedy: "The plugin clears them away when the host starts it next.",
  });
}

function pending({ facts: { paths } }: DoctorContext): Finding {
  const names = exists(paths.state) ? [...Deno.readDirSync(paths.state)] : [];
  const threads = new Set(
    names.flatMap(({ name }) => /^([0-9a-f-]{36})\.(?:pending|journal)$/.exec(name)?.[1] ?? []),
  );
  return threads.size === 0 ? ok("none wait") : warn(
    `consumes of ${many(threads.size, "thread")} wait`,
    {
      detail: [...threads].join("\n"),
      remedy:
        "They are carried out as soon as no codex writes the thread, at the latest before its next turn.",
    },
  );
}

/** codex that stay between turns, as of the last turn's end, and what they hold now. */
async function kept({ facts: { paths } }: DoctorContext): Promise<Finding> {
  const stats = readStats(paths);
  return ok(keptText(stats?.kept, await keptMemory(stats)) || "none");
}

const LastTurn = z.looseObject({ at: z.string(), error: z.optional(z.string()) });

/** What the plugin did lately, from the counters it leaves after every turn. */
function lastTurn(context: DoctorContext): Finding {
  const { paths } = context.facts;
  const stats = readStats(paths);
  if (stats === undefined) return ok("no turn yet");
  const last = z.safeParse(LastTurn, stats.last_turn);
  const turns = `${many(turnsOf(stats), "turn")} since the plugin's last start`;
  if (!last.success) return ok(turns, join(paths.state, "stats.json"));
  const { at, error } = last.data;
  if (error === undefined) return ok(`${turns}, the last one ended well`, `at ${at}`);
  return warn(`the last turn failed: ${error}`, {
    detail: `${turns}; it ended at ${at}`,
    remedy: "What the kinds of errors mean; the host's log of that time has the message:",
    command: context.help("errors"),
  });
}
