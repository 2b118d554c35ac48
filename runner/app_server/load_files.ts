/**
 * The files that codex reads when it loads a thread. Where one of them is another one by now, a loaded thread
 * is not what a load would make of it.
 *
 * Most of them have their places. The rest is known when codex has said its configuration: which names stand
 * in for AGENTS.md, where the project begins, and which files the configuration names.
 *
 * @module
 */
import { dirname, isAbsolute, join } from "@std/path";
import * as z from "zod/mini";
import { isDirectory, isThere, stampOf } from "../../base/files.ts";
import { isObject } from "../../base/json_object.ts";
import type { RunInput } from "../transport.ts";

/** What codex's configuration says of the files that a load reads. */
export interface ConfiguredFiles {
  /** What the uppermost directory of a project has in it. */
  rootMarkers: readonly string[];
  /** Names that are looked for after AGENTS.md. */
  fallbackNames: readonly string[];
  /** Whether it trusts any project of the user's. */
  trusts: boolean;
  /** `model_instructions_file` and its like, wherever they stand. */
  named: readonly string[];
}

const Names = z.catch(z.nullish(z.array(z.string())), undefined);
const Said = z.looseObject({
  project_root_markers: Names,
  project_doc_fallback_filenames: Names,
  projects: z.catch(
    z.nullish(z.record(z.string(), z.looseObject({ trust_level: z.nullish(z.string()) }))),
    undefined,
  ),
});

/** Reads the `config` of codex's answer to `config/read`, in which every path is absolute. */
export function configuredFiles(config: unknown): ConfiguredFiles {
  const said = z.safeParse(Said, config).data;
  return {
    rootMarkers: said?.project_root_markers ?? [".git"],
    fallbackNames: said?.project_doc_fallback_filenames ?? [],
    trusts: Object.values(said?.projects ?? {}).some((of) => of.trust_level === "trusted"),
    named: filesNamed(config),
  };
}

function filesNamed(config: unknown): string[] {
  if (!isObject(config)) return [];
  return Object.entries(config).flatMap(([key, value]) => {
    if (typeof value !== "string") return filesNamed(value);
    return key.endsWith("_file") && isAbsolute(value) ? [value] : [];
  });
}

/** Where codex's configuration is, whatever it says. */
export function configurationFiles({ codexHome }: Pick<RunInput, "codexHome">): string[] {
  const machine = ["requirements.toml", "managed_config.toml"].map((name) =>
    join("/etc/codex", name)
  );
  return [...machine, ...["/etc/codex", codexHome].flatMap(settingsIn)];
}

/** What else a load reads, given what the configuration says. */
export function projectFiles(
  { codexHome, cwd, trustWorkspace }: Pick<RunInput, "codexHome" | "cwd" | "trustWorkspace">,
  { rootMarkers, fallbackNames, trusts, named }: ConfiguredFiles,
): string[] {
  const directories = projectDirectories(cwd, rootMarkers);
  const believed = trustWorkspace || trusts ? directories.map((dir) => join(dir, ".codex")) : [];
  const names = ["AGENTS.override.md", "AGENTS.md", ...fallbackNames];
  return [
    ...named,
    ...[codexHome, ...directories].flatMap((dir) => names.map((name) => join(dir, name))),
    ...believed.flatMap(settingsIn),
  ];
}

/** The state of those that are there; equal exactly where a load reads the same. */
export function stampsOf(files: readonly string[]): string {
  return JSON.stringify(files.map((path) => [path, stampOf(path)]).filter(([, stamp]) => stamp));
}

/** From `cwd` up to where its project begins, `cwd` alone where that is nowhere; links are not resolved. */
function projectDirectories(cwd: string, rootMarkers: readonly string[]): string[] {
  const directories = [cwd];
  for (let dir = cwd;; dir = dirname(dir)) {
    if (dir !== cwd) directories.push(dir);
    if (rootMarkers.some((marker) => isThere(join(dir, marker)))) return directories;
    if (dir === dirname(dir)) return [cwd];
  }
}

function settingsIn(dir: string): string[] {
  return [join(dir, "config.toml"), join(dir, "hooks.json"), ...filesIn(join(dir, "rules"))];
}

/** So many files of a directory are looked at; nobody has as many rules. */
const MANY_FILES = 100;

function filesIn(dir: string): string[] {
  if (!isDirectory(dir)) return [];
  try {
    return [...Deno.readDirSync(dir)].slice(0, MANY_FILES).map(({ name }) => join(dir, name))
      .sort();
  } catch {
    return []; // not readable, or gone
  }
}
