/**
 * The command that runs a turn.
 *
 * @module
 */
import { type Command, PROFILE } from "../cli/command.ts";

/** The command, by name. */
export const TURN: Readonly<Record<string, Command>> = {
  turn: {
    summary: "run one turn by hand, without a host",
    details: [
      "The model's words go to stdout, everything else to stderr. Without PROMPT, or with -, the prompt is read from stdin. Ctrl-C cancels as the host would; a second Ctrl-C kills.",
      "Turns of the same --session in the same workspace are one conversation. They have threads of their own and leave those of the host's agents alone; --agent goes on with an agent's own thread and overrides.",
      'FILE for --tools is JSON: {"tools": [{"name": "tide", "description": "…", "inputSchema": {"type": "object"}, "result": "High water at noon"}]}. The tools are offered to the model as the host\'s would be.',
    ],
    options: [
      PROFILE,
      {
        name: "workspace",
        short: "C",
        value: "DIR",
        kind: "directory",
        summary: "where codex works; else the current directory",
      },
      { name: "model", short: "m", value: "M", summary: "a model id as the host would name it" },
      {
        name: "session",
        short: "s",
        value: "NAME",
        kind: "conversations",
        summary: 'which conversation; else "default"',
      },
      {
        name: "agent",
        value: "ID",
        kind: "agents",
        summary: "go on with this agent's thread instead",
      },
      {
        name: "image",
        short: "i",
        value: "FILE",
        kind: "file",
        repeats: true,
        summary: "a picture for the model; may be given several times",
      },
      { name: "tools", value: "FILE", kind: "file", summary: "offer canned host tools" },
      { name: "quiet", short: "q", summary: "nothing but the model's words, and errors" },
      { name: "json", summary: "print the events that a host gets, one JSON object per line" },
      { name: "log-file", value: "FILE", kind: "file", summary: "append the log, as JSON lines" },
    ],
    words: { usage: "PROMPT...", min: 0, max: Infinity, summary: "what to ask" },
    examples: [
      { line: 'turn "What is in this directory?"', says: "ask about where you are" },
      {
        line: "turn --session review --workspace ~/src/app < task.md > answer.md",
        says: "a longer task, and only the answer kept",
      },
    ],
    run: async (args) => (await import("./turn_command.ts")).turn(args),
  },
};
