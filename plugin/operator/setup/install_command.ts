/**
 * `install` and `uninstall`: the plugin's files in a profile. Everything is looked at first, then
 * shown, then done, each file as a whole; done twice, the second time changes nothing.
 *
 * @module
 */
import { join } from "@std/path";
import { ownUid, readIfThere, unlessMissing } from "../../../base/files.ts";
import { loadConfig } from "../../config/config.ts";
import type { ProfilePaths } from "../../profile.ts";
import { EXECUTABLE_NAME, manifestFor, PLUGIN_NAME, VERSION } from "../../self.ts";
import { type Arguments, newProfileOf, profileOf } from "../cli/arguments.ts";
import { EXIT, PROFILE } from "../cli/command.ts";
import { columns, complain, paintFor, print, shellWord } from "../cli/terminal.ts";
import { wrap } from "../cli/text.ts";
import { configJsonSchema, configTemplate, SCHEMA_FILE } from "./config_reference.ts";
import {
  executableChange,
  type FileChange,
  keep,
  ownFile,
  PREVIOUS,
  removeChange,
  removeLeftovers,
  textChange,
} from "./file_change.ts";
import { allowChange, disallowChange, LINE_TO_ADD, readPlexumJson } from "./plexum_json.ts";

/** `install`. */
export async function install(args: Arguments): Promise<number> {
  const paths = newProfileOf(args);
  refuseForeign(paths);
  const source = ownFile();
  const { config, warnings } = loadConfig(paths.config);
  for (const warning of warnings) complain(warning);
  const plexum = readPlexumJson(paths.profile);
  const changes = [
    executableChange(source, paths.plugin, installedVersion(paths)),
    textChange(paths.manifest, json(manifestFor(config.supported_models)), 0o644, "for the host"),
    textChange(
      join(paths.plugin, SCHEMA_FILE),
      json(configJsonSchema()),
      0o644,
      "for editors, named by config.json",
    ),
    readIfThere(paths.config) === undefined
      ? textChange(paths.config, configTemplate(), 0o600, "every option, commented out")
      : keep(paths.config, "yours, untouched"),
    ...(args.has("allow") ? [allowChange(plexum)] : []),
  ];
  const dryRun = args.has("dry-run");
  print(`${dryRun ? "Would install" : "Installing"} ${PLUGIN_NAME} ${VERSION} in\n${paths.plugin}`);
  if (!dryRun) {
    Deno.mkdirSync(paths.plugin, { recursive: true, mode: 0o700 });
    removeLeftovers(paths.plugin);
  }
  await carryOut(changes, paths, dryRun);
  if (dryRun) print("\nNothing was changed.");
  else next(changes, paths, plexum.allowed || args.has("allow") ? undefined : plexum.path, args);
  return EXIT.ok;
}

/** `uninstall`. */
export async function uninstall(args: Arguments): Promise<number> {
  const paths = profileOf(args);
  refuseForeign(paths);
  const purge = args.has("purge");
  const file = (name: string) => join(paths.plugin, name);
  const changes = [
    disallowChange(readPlexumJson(paths.profile)),
    removeChange(paths.manifest, "the host no longer sees the plugin"),
    removeChange(file(EXECUTABLE_NAME), "the plugin"),
    removeChange(file(PREVIOUS), "the version before"),
    removeChange(file(SCHEMA_FILE), "for editors"),
    ...(purge
      ? [
        removeChange(paths.config, "the configuration"),
        removeChange(paths.state, "which thread belongs to which agent", true),
      ]
      : []),
  ].filter((change) => change !== undefined);
  const dryRun = args.has("dry-run");
  if (changes.length === 0) {
    print(`${PLUGIN_NAME} is not installed in ${paths.plugin}`);
    return EXIT.ok;
  }
  print(`${dryRun ? "Would remove" : "Removing"} ${PLUGIN_NAME} from\n${paths.plugin}`);
  await carryOut(changes, paths, dryRun);
  if (dryRun) return EXIT.ok;
  removeIfEmpty(paths.plugin);
  const left = [paths.config, paths.state].filter((path) => removeChange(path, "") !== undefined);
  if (left.length > 0) print(`\nKept: ${left.join(", ")} (--purge removes them, too)`);
  print("codex's own sessions are untouched. Restart the host.");
  return EXIT.ok;
}

async function carryOut(
  changes: readonly FileChange[],
  { plugin }: ProfilePaths,
  dryRun: boolean,
): Promise<void> {
  const paint = paintFor(Deno.stdout);
  const width = columns() - 11;
  for (const { action, path, note, apply } of changes) {
    if (!dryRun) await apply();
    const word = paint(action === "keep" ? "dim" : "green", action.padEnd(8));
    print(`  ${word} ${path.startsWith(`${plugin}/`) ? path.slice(plugin.length + 1) : path}`);
    print(`           ${paint("dim", wrap(note, width, " ".repeat(11)))}`);
  }
}

/** @param unallowed The `plexum.json` that does not name the plugin. */
function next(
  changes: readonly FileChange[],
  { plugin }: ProfilePaths,
  unallowed: string | undefined,
  args: Arguments,
): void {
  const named = args.text(PROFILE.name);
  const ours = (command: string) =>
    [join(plugin, EXECUTABLE_NAME), command, ...(named === undefined ? [] : ["--profile", named])]
      .map(shellWord).join(" ");
  const changed = changes.some(({ action }) => action !== "keep");
  const todo: [does: string, line?: string][] = [
    ...(unallowed === undefined ? [] : [
      ["allow the plugin to be started:", `${ours("install")} --allow`] as [string, string],
      [`or add this to ${unallowed}:`, LINE_TO_ADD] as [string, string],
    ]),
    ["check that all is well:", ours("doctor")],
    ["give an agent the model:", "plexum agent-add --model codex ..."],
    ...(changed ? [["restart the host, so that it starts this version"] as [string]] : []),
  ];
  const lines = todo.flatMap(([does, line]) => [
    `  ${wrap(does, columns() - 2, "  ")}`,
    ...(line === undefined ? [] : [`    ${line}`]),
  ]);
  print(`\nNext:\n${lines.join("\n")}`);
}

/** Files of another user's profile would become ours, and unreadable to that user's host. */
function refuseForeign({ profile, plugin }: ProfilePaths): void {
  for (const path of [profile, plugin]) {
    const info = unlessMissing(() => Deno.statSync(path));
    if (info === undefined || info.uid === null || info.uid === ownUid()) continue;
    throw new Error(
      `Cannot change ${path}: it belongs to user ${info.uid}, not to user ${ownUid()}. ` +
        `Run this as the user who runs Plexum.`,
    );
  }
}

/** What manifest.json says; the old executable itself is not run. */
function installedVersion({ manifest }: ProfilePaths): string | undefined {
  const version = /"version"\s*:\s*"([^"]{1,64})"/.exec(readIfThere(manifest) ?? "")?.[1];
  return version === undefined ? undefined : `version ${version}`;
}

function removeIfEmpty(directory: string): void {
  try {
    Deno.removeSync(directory);
  } catch {
    // something is kept in it
  }
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
