/**
 * The commands a person types, one table: dispatch, help, completions and the man page come from it.
 *
 * @module
 */
import type { CommandTable } from "./command.ts";
import { SETUP } from "./commands_setup.ts";
import { USE } from "./commands_use.ts";

/** Every command. */
export const COMMANDS: CommandTable = {
  ...SETUP,
  ...USE,
  completion: {
    summary: "print the completion script of a shell",
    details: [
      "bash: source it in ~/.bashrc, or put it into ~/.local/share/bash-completion/completions. zsh: put it into a directory of $fpath under the executable's name with an underscore before it. fish: put it into ~/.config/fish/completions.",
    ],
    options: [],
    words: {
      usage: "bash|zsh|fish",
      min: 1,
      max: 1,
      kind: ["bash", "zsh", "fish"],
      summary: "which shell",
    },
    examples: [{ line: "completion bash > plexum.bash", says: "then: source plexum.bash" }],
    run: async (args) => (await import("./completion_command.ts")).printCompletion(args, COMMANDS),
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
    runRaw: async (args) => (await import("../../../mcp_host/relay/relay.ts")).relay(args),
  },
};
