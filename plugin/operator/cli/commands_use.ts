/**
 * The commands that do something with codex.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { JSON_OUTPUT, PROFILE } from "./commands_setup.ts";

/** The commands, by name. */
export const USE: Readonly<Record<string, Command>> = {
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
      { name: "session", short: "s", value: "NAME", summary: 'which conversation; else "default"' },
      { name: "agent", value: "ID", summary: "go on with this agent's thread instead" },
      { name: "tools", value: "FILE", kind: "file", summary: "offer canned host tools" },
      { name: "json", summary: "print the events that a host gets, one JSON object per line" },
      { name: "log-file", value: "FILE", kind: "file", summary: "append the log, as JSON lines" },
    ],
    words: { usage: "PROMPT…", min: 0, max: Infinity, summary: "what to ask" },
    examples: [
      { line: 'turn "What is in this directory?"', says: "ask about where you are" },
      {
        line: "turn --session review --workspace ~/src/app < task.md > answer.md",
        says: "a longer task, and only the answer kept",
      },
    ],
    run: async (args) => (await import("../turn/turn_command.ts")).turn(args),
  },
  sessions: {
    summary: "see what threads hold in the model's context, and take it out",
    details: [
      "Every tool output that codex recorded goes to the model again with every request, until codex compacts the conversation or the output is consumed: replaced by a short marker. Estimated tokens are bytes divided by four, and a thousand for an image.",
    ],
    commands: {
      list: {
        summary: "list the threads that the plugin remembers",
        options: [PROFILE, JSON_OUTPUT],
        examples: [{ line: "sessions list", says: "newest first" }],
        run: async (args) => (await import("../sessions/sessions_command.ts")).listSessions(args),
      },
      show: {
        summary: "show a thread's turns and what each call holds",
        details: [
          "THREAD is the beginning of a thread's id, an agent's id or a workspace; any thread of codex can be shown by its whole id. With --html a page is written that needs nothing else and works offline.",
        ],
        options: [
          PROFILE,
          JSON_OUTPUT,
          { name: "html", value: "FILE", kind: "file", summary: "write a page for a browser" },
        ],
        words: { usage: "[THREAD]", min: 0, max: 1, summary: "which one, where there are several" },
        examples: [
          { line: "sessions show", says: "the only thread there is" },
          { line: "sessions show 01a2039a --html thread.html", says: "as a page" },
        ],
        run: async (args) => (await import("../sessions/sessions_command.ts")).showSession(args),
      },
      consume: {
        summary: "take calls out of the model's context",
        details: [
          "The recorded output becomes a marker, in codex's session file and nowhere else; with --heavy the arguments go, too. It cannot be undone. While a codex is writing the thread, it is done afterwards.",
          "Which calls: by id, or all of them, or those that hold more than so many bytes; --keep-turns spares the latest turns.",
        ],
        options: [
          PROFILE,
          { name: "all", summary: "every call" },
          { name: "larger-than", value: "BYTES", summary: "every call that holds more" },
          { name: "keep-turns", value: "N", summary: "not those of the latest N turns" },
          { name: "heavy", summary: "the arguments, too" },
          { name: "dry-run", summary: "say what would be consumed, and change nothing" },
          JSON_OUTPUT,
        ],
        words: {
          usage: "THREAD [CALL…]",
          min: 1,
          max: Infinity,
          summary: "which thread, and which calls of it",
        },
        examples: [
          {
            line: "sessions consume cx --larger-than 10000 --keep-turns 2 --dry-run",
            says: "what would go",
          },
        ],
        run: async (args) => (await import("../sessions/sessions_command.ts")).consumeCalls(args),
      },
    },
  },
};
