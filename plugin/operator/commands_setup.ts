/**
 * The commands that put the plugin in its place.
 *
 * @module
 */
import type { Command, Option } from "./command.ts";

/** Whose plugin it is. */
export const PROFILE: Option = {
  name: "profile",
  value: "DIR",
  kind: "directory",
  summary: "the Plexum profile; else PLEXUM_PROFILE_ROOT, else ~/.plexum",
};

/** The commands, by name. */
export const SETUP: Readonly<Record<string, Command>> = {
  manifest: {
    summary: "print the manifest that the host reads",
    details: [
      "The host reads manifest.json before it starts the plugin. This prints what it should say, from config.json as it is now; `install` writes it.",
    ],
    options: [PROFILE],
    examples: [{ line: "manifest", says: "what the host is told" }],
    run: async (args) => (await import("./manifest_command.ts")).printManifest(args),
  },
};
