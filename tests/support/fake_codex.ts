/**
 * A codex that does what the real one cannot be made to do. `fakeCodex(root)` writes a program
 * `codex` that plays the given scenario; nothing in it goes by the clock: it waits for triggers that
 * the test pulls, and leaves marks that the test waits for.
 */
import { fromFileUrl, join } from "@std/path";
import { DEADLINE_MS } from "./deadline.ts";
import type { Usage } from "../../rollout/records/events.ts";

/** One thing that a fake codex does. In JSON, `$THREAD`, `$CWD` and `$PROMPT` are filled in. */
export type Act =
  /** A JSONL line on stdout; a string is printed as it stands, without a newline. */
  | { print: Record<string, unknown> | string }
  /** So many lines; `$N` is the line's number, `$PAD` as many `x` as `padBytes` says. */
  | { flood: { count: number; padBytes?: number; print: Record<string, unknown> } }
  | { stderr: string }
  /** Appends lines (`{type, payload}`) to the thread's rollout, with timestamp and ordinal. */
  | { rollout: (Record<string, unknown> | string)[] }
  /** Waits until the test pulls this trigger. */
  | { waitFor: string }
  /** Leaves a mark with its pid, for `reached`. */
  | { mark: string }
  /** Whoever connects to the socket speaks with a fresh process of that program, a child of ours. */
  | { relays: { socket: string; command: string; args: string[] } }
  | { child: FakeChild }
  | { closeStdout: true }
  | { exit: number }
  /** Ends itself by a signal. */
  | { kill: Deno.Signal }
  | { hang: true };

/** A child that sleeps for ever and leaves its pid as the mark `name`. */
export interface FakeChild {
  name: string;
  /** In our process group, in a session of its own, or a double fork that init adopts. */
  escape?: "group" | "session" | "orphan";
  ignore?: ("SIGINT" | "SIGTERM" | "SIGHUP")[];
  /** Without our environment and working directory: not to be found by the sandbox's folder. */
  clean?: boolean;
  /** Holds codex's stdout open. */
  holdStdout?: boolean;
  /** A shell command that it runs instead of sleeping, with codex's stdout. */
  run?: string;
}

/** What the program does. */
export interface Scenario {
  acts: Act[];
  /** Other acts for a turn with exactly this prompt. */
  byPrompt?: Record<string, Act[]>;
  /** What `--version` says; 0.169.0 when left out. */
  version?: string;
  /** What `login status` says; logged out when left out. */
  loggedIn?: boolean;
  /** On SIGINT: these acts, `{ exit: 1 }` when left out; "ignore" only leaves the mark SIGINT. */
  onInterrupt?: Act[] | "ignore";
  /** SIGTERM only leaves a mark. */
  ignoreTerm?: boolean;
  /** Commands that never answer: `--version`, `login`, `mcp`. */
  hangOn?: string[];
  /** Does not read its prompt. */
  deafToStdin?: boolean;
}

/** A start of the program, as it saw it. */
export interface Run {
  pid: number;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  prompt: string;
  thread: string;
  resumed: boolean;
}

/** The program in its folder. */
export interface FakeCodex {
  /** Absolute path of the executable. */
  path: string;
  /** What it does from the next start on. */
  play(scenario: Scenario): Promise<void>;
  /** Lets a `waitFor` go on; also one that comes later. */
  pull(trigger: string): Promise<void>;
  /** Waits for a mark; returns the pid in it. */
  reached(mark: string): Promise<number>;
  /** All `exec` starts so far. */
  runs(): Promise<Run[]>;
}

/** Writes the program to `<root>/fake/codex`. The folder goes when the root goes. */
export async function fakeCodex(root: string, scenario: Scenario): Promise<FakeCodex> {
  const dir = join(root, "fake");
  const path = join(dir, "codex");
  const program = fromFileUrl(new URL("fake_codex.mjs", import.meta.url));
  await Deno.mkdir(join(dir, "triggers"), { recursive: true });
  await Deno.writeTextFile(path, `#!/bin/sh\nexec node '${program}' '${dir}' "$@"\n`);
  await Deno.chmod(path, 0o755);
  const play = (scenario: Scenario) =>
    Deno.writeTextFile(join(dir, "scenario.json"), JSON.stringify(scenario));
  await play(scenario);
  return {
    path,
    play,
    pull: (trigger) => Deno.writeTextFile(join(dir, "triggers", trigger), ""),
    async reached(mark) {
      const deadline = performance.now() + DEADLINE_MS;
      for (;;) {
        const pid = await Deno.readTextFile(join(dir, "marks", mark)).catch(missing);
        if (pid !== undefined) return Number(pid);
        if (performance.now() > deadline) throw new Error(`fake codex never reached ${mark}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async runs() {
      const found: Run[] = [];
      for (let n = 1;; n += 1) {
        const text = await Deno.readTextFile(join(dir, "runs", `${n}.json`)).catch(missing);
        if (text === undefined) return found;
        const run: Run = JSON.parse(text);
        found.push(run);
      }
    },
  };
}

function missing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

/** The acts of an ordinary turn that says `text`; `usage` is the thread's total, as codex tells it. */
export function plainTurn(text: string, usage: Partial<Usage> = {}): Act[] {
  return [began(), { print: { type: "turn.started" } }, said(text), completed(usage)];
}

/** The first line of every turn. */
export function began(): Act {
  return { print: { type: "thread.started", thread_id: "$THREAD" } };
}

/** An agent message. */
export function said(text: string, id = "item_0"): Act {
  return { print: { type: "item.completed", item: { id, type: "agent_message", text } } };
}

/** The end of a good turn. */
export function completed(usage: Partial<Usage> = {}): Act {
  return {
    print: {
      type: "turn.completed",
      usage: {
        input_tokens: usage.inputTokens ?? 100,
        cached_input_tokens: usage.cachedInputTokens ?? 0,
        cache_write_input_tokens: 0,
        output_tokens: usage.outputTokens ?? 10,
        reasoning_output_tokens: usage.reasoningOutputTokens ?? 0,
      },
    },
  };
}

/** The end of a turn that failed with this message. */
export function failed(message: string): Act {
  return { print: { type: "turn.failed", error: { message } } };
}
