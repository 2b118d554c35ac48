/** Where the plugin lives, for a command with `--profile`. */
import { resolve } from "@std/path";
import { type ProfilePaths, profilePaths, profileRoot } from "../../profile.ts";
import type { Arguments } from "./arguments.ts";

/** The paths of the profile that `--profile`, or else the environment, names. */
export function profileOf(args: Arguments): ProfilePaths {
  const named = args.text("profile");
  return profilePaths(
    named === undefined ? profileRoot((name) => Deno.env.get(name)) : resolve(named),
  );
}
