/**
 * The commands that are about threads.
 *
 * @module
 */
import { type Command, DRY_RUN, JSON_OUTPUT, PROFILE } from "../cli/command.ts";

/** The commands, by name. */
export const SESSIONS: Readonly<Record<string, Command>> = {
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
        run: async (args) => (await import("./sessions_command.ts")).listSessions(args),
      },
      show: {
        summary: "show a thread's turns and what each call holds",
        details: [
          "THREAD is an agent's id, a workspace, or a thread's id or its beginning; any thread of codex can be shown by its whole id. With --html a page is written that needs nothing else and works offline: what each call holds, the largest first, with what was asked and answered.",
        ],
        options: [
          PROFILE,
          JSON_OUTPUT,
          { name: "html", value: "FILE", kind: "file", summary: "write a page for a browser" },
        ],
        words: {
          usage: "[THREAD]",
          min: 0,
          max: 1,
          kind: "threads",
          summary: "which one, where there are several",
        },
        examples: [
          { line: "sessions show", says: "the only thread there is" },
          { line: "sessions show 01a2039a --html thread.html", says: "as a page" },
        ],
        run: async (args) => (await import("./sessions_command.ts")).showSession(args),
      },
      consume: {
        summary: "take calls out of the model's context",
        details: [
          "The recorded output becomes a marker, in codex's session file and nowhere else; with --heavy the arguments go, too. It cannot be undone. While a codex is writing the thread, it is done afterwards.",
          "Which calls: by id, or all of them, or those that hold more than so many bytes; --keep-turns spares the latest turns. What codex has compacted away, and what would not become smaller, is left out of --all and --larger-than.",
        ],
        options: [
          PROFILE,
          { name: "all", summary: "every call" },
          { name: "larger-than", value: "BYTES", summary: "every call that holds more" },
          { name: "keep-turns", value: "N", summary: "not those of the latest N turns" },
          { name: "heavy", summary: "the arguments, too" },
          DRY_RUN,
          JSON_OUTPUT,
        ],
        words: {
          usage: "THREAD [CALL...]",
          min: 1,
          max: Infinity,
          kind: "threads",
          summary: "which thread, and which calls of it",
        },
        examples: [
          {
            line: "sessions consume cx --larger-than 10000 --keep-turns 2 --dry-run",
            says: "what would go",
          },
        ],
        run: async (args) => (await import("./consume_command.ts")).consumeCalls(args),
      },
      forget: {
        summary: "let an agent begin a new thread",
        details: [
          "The plugin no longer knows that the agent has this thread: its next turn in the workspace begins a new one. codex's session stays where it is and can be shown by its id. A consume that waits is done first; where it cannot be done now, the thread is not forgotten, and what to do about it is said.",
        ],
        options: [PROFILE, DRY_RUN],
        words: { usage: "THREAD", min: 1, max: 1, kind: "threads", summary: "which thread" },
        examples: [{ line: "sessions forget cx --dry-run", says: "which one that is" }],
        run: async (args) => (await import("./forget_command.ts")).forgetThread(args),
      },
      prune: {
        summary: "forget threads that cannot be gone on with, or are old",
        details: [
          "Those whose session file or workspace is gone; with --older-than also those that were not used for so many days. A thread stays when codex has compressed its session, when its session cannot be used, when codex's home is not there, and as long as a consume waits for it. codex's sessions are never touched.",
        ],
        options: [
          PROFILE,
          { name: "older-than", value: "DAYS", summary: "also those unused for so long" },
          DRY_RUN,
        ],
        examples: [
          { line: "sessions prune --older-than 90 --dry-run", says: "what would be forgotten" },
        ],
        run: async (args) => (await import("./forget_command.ts")).pruneThreads(args),
      },
      release: {
        summary: "have the plugin let go of a thread, to use it by hand",
        details: [
          "Only one codex at a time may have a thread loaded. A codex that the plugin keeps between turns lets go of its thread within a second, and loads it again with the agent's next turn; while a turn runs it keeps the thread. Exit code 1 when a codex still has it after 10 seconds.",
        ],
        options: [PROFILE],
        words: { usage: "THREAD", min: 1, max: 1, kind: "threads", summary: "which thread" },
        examples: [{ line: "sessions release cx", says: "before codex resume" }],
        run: async (args) => (await import("./forget_command.ts")).releaseThread(args),
      },
    },
  },
};
