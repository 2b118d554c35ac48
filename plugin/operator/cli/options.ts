/**
 * Options that several commands have, and what they mean.
 *
 * @module
 */
import { resolve } from "@std/path";
import { type ProfilePaths, profilePaths, profileRoot } from "../../profile.ts";
import { type Arguments, UsageError } from "./arguments.ts";
import type { Option } from "./command.ts";

/** Whose plugin it is. */
export const PROFILE: Option = {
  name: "profile",
  value: "DIR",
  kind: "directory",
  summary: "the Plexum profile; else PLEXUM_PROFILE_ROOT, else ~/.plexum",
};

/** Output for programs. */
export const JSON_OUTPUT: Option = { name: "json", summary: "as JSON" };

/** Only look. */
export const DRY_RUN: Option = {
  name: "dry-run",
  summary: "say what would be done, and do nothing",
};

/** The paths of the profile that `--profile`, which must exist, or else the environment, names. */
export function profileOf(args: Arguments): ProfilePaths {
  const named = args.text(PROFILE.name);
  if (named === undefined) return profilePaths(profileRoot((name) => Deno.env.get(name)));
  return profilePaths(resolve(directoryOf(PROFILE.name, named)));
}

/** The same for a command that makes the profile where there is none. */
export function newProfileOf(args: Arguments): ProfilePaths {
  const named = args.text(PROFILE.name);
  return named === undefined ? profileOf(args) : profilePaths(resolve(named));
}

/** The value of an option that names a directory. @throws {UsageError} where there is none. */
export function directoryOf(option: string, named: string): string {
  try {
    if (Deno.statSync(named).isDirectory) return named;
  } catch {
    // Said below.
  }
  throw new UsageError(`--${option} needs a directory that exists, found "${named}"`);
}
