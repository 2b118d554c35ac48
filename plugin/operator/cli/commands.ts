/**
 * The commands a person types, one table: dispatch, help, completions and the man page come from it.
 *
 * @module
 */
import { DOCTOR } from "../doctor/commands.ts";
import { SESSIONS } from "../sessions/commands.ts";
import { SETUP } from "../setup/commands.ts";
import { TURN } from "../turn/commands.ts";
import { type CommandTable, PROFILE } from "./command.ts";

/** Every command. */
export const COMMANDS: CommandTable = {
  ...SETUP,
  ...DOCTOR,
  ...TURN,
  ...SESSIONS,
  version: {
    summary: "print the version; also --version",
    options: [{ name: "json", summary: "all that is known, as JSON" }],
    examples: [{ line: "version --json", says: "for a report" }],
    run: async (args) => (await import("./version.ts")).printVersion(args),
  },
  completion: {
    summary: "print the completion script of a shell",
    details: [
      "Commands, options and the names of threads, agents and conversations complete on TAB.",
      "bash: source it in ~/.bashrc, or put it into ~/.local/share/bash-completion/completions. zsh: put it into a directory of $fpath under the executable's name with an underscore before it. fish: put it into ~/.config/fish/completions.",
    ],
    options: [PROFILE],
    words: {
      usage: "bash|zsh|fish",
      min: 1,
      max: 2,
      kind: ["bash", "zsh", "fish"],
      summary: "which shell",
    },
    examples: [{ line: "completion bash > plexum.bash", says: "then: source plexum.bash" }],
    run: async (args) => await (await import("./completion.ts")).printCompletion(args, COMMANDS),
  },
  "mcp-host": {
    usage: "[--socket PATH] [--agent-id ID]",
    summary: "what codex starts to reach the host's tools",
    details: [
      "codex starts this by itself; there is nothing to type. Without a plugin to connect to it serves an empty list of tools, so that codex is not disturbed.",
    ],
    options: [
      { name: "socket", value: "PATH", kind: "file", summary: "instead of PLEXUM_MCP_SOCKET" },
      { name: "agent-id", value: "ID", summary: "instead of PLEXUM_MCP_AGENT_ID" },
    ],
    examples: [{ line: "mcp-host --help", says: "as codex starts it" }],
    runRaw: async (args) => (await import("../../../mcp_host/relay.ts")).relay(args),
  },
};
