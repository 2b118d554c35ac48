/**
 * The commands that put the plugin in its place.
 *
 * @module
 */
import { type Command, DRY_RUN, JSON_OUTPUT, PROFILE } from "../cli/command.ts";

/** The commands, by name. */
export const SETUP: Readonly<Record<string, Command>> = {
  install: {
    summary: "put this executable into a profile",
    details: [
      "Copies the executable into <profile>/plugins/plexum-openai-provider, writes manifest.json from the configuration and, where there is none, a config.json with every option commented out. A host that runs an older version goes on with it until it is restarted. Doing it again changes nothing.",
      "With --allow the plugin's name is added to plugins.allow in <profile>/plexum.json; comments and order stay, and the file as it was is kept beside it.",
    ],
    options: [
      PROFILE,
      DRY_RUN,
      { name: "allow", summary: "add the plugin to plugins.allow in plexum.json" },
    ],
    examples: [
      { line: "install --dry-run", says: "look first" },
      { line: "install --allow", says: "install, or upgrade, and let the host use it" },
    ],
    run: async (args) => (await import("./install_command.ts")).install(args),
  },
  uninstall: {
    summary: "take the plugin out of a profile again",
    details: [
      "Removes what install wrote, also from plugins.allow. The configuration, and the memory of which thread belongs to which agent, stay for a later install. codex's own sessions are never touched.",
    ],
    options: [
      PROFILE,
      DRY_RUN,
      { name: "purge", summary: "remove the configuration and the memory of threads, too" },
    ],
    examples: [{ line: "uninstall --dry-run", says: "what would go" }],
    run: async (args) => (await import("./install_command.ts")).uninstall(args),
  },
  manifest: {
    summary: "print the manifest that the host reads",
    details: [
      "The host reads manifest.json before it starts the plugin. This prints what it should say, from config.json as it is now; `install` writes it.",
    ],
    options: [PROFILE],
    examples: [{ line: "manifest", says: "what the host is told" }],
    run: async (args) => (await import("./manifest_command.ts")).printManifest(args),
  },
  config: {
    summary: "check and explain the configuration",
    details: [
      "The configuration is <profile>/plugins/plexum-openai-provider/config.json: JSON with comments, every option optional. A changed file takes effect at the next turn; a broken one leaves the last good one in use.",
    ],
    commands: {
      check: {
        summary: "say whether config.json can be used",
        details: [
          "Says what is wrong in the words of the plugin's handshake, and warns of unknown keys.",
        ],
        options: [PROFILE, { name: "strict", summary: "fail on warnings, too" }],
        examples: [
          { line: "config check", says: "after an edit" },
          { line: "config check --strict", says: "in a script that changes it" },
        ],
        run: async (args) => (await import("./config_command.ts")).checkConfig(args),
      },
      show: {
        summary: "print every option's value and where it comes from",
        details: [
          "The source is default, file, model or agent; the last two are overrides, shown for the model and the agent that are named. Values of environment variables are not shown.",
        ],
        options: [
          PROFILE,
          { name: "model", value: "ID", summary: "with the overrides for this model" },
          { name: "agent", value: "ID", summary: "with the overrides for this agent" },
          JSON_OUTPUT,
        ],
        examples: [
          { line: "config show", says: "what counts now" },
          { line: "config show --model gpt-5.5 --agent cx", says: "what counts in a turn" },
        ],
        run: async (args) => (await import("./config_command.ts")).showConfig(args),
      },
      schema: {
        summary: "print the JSON Schema of config.json",
        details: ["For editors; install writes it beside config.json, which names it."],
        options: [],
        examples: [{ line: "config schema > config.schema.json", says: "keep it somewhere else" }],
        run: async () => (await import("./config_command.ts")).printSchema(),
      },
    },
  },
};
