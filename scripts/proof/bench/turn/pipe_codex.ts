/**
 * A codex that prints what we write: its `exec` is a `cat` of a named pipe in its codex home. Whoever
 * holds the pipe is codex, so both ends of a line's way can be timed on one clock.
 */
import { join } from "@std/path";

const encoder = new TextEncoder();

/** The program. */
export const PIPE_CODEX = `#!/bin/sh
[ "$1" = --version ] && { echo codex-cli 0.169.0; exit; }
exec cat "$CODEX_HOME/lines"
`;

/** The pipe of one codex home. */
export class PipeCodex {
  readonly #home: string;
  #pipe: Deno.FsFile | undefined;
  #thread = "";

  /** Makes the pipe in `codexHome`. */
  constructor(codexHome: string) {
    this.#home = codexHome;
    const { success } = new Deno.Command("mkfifo", { args: [this.#path] }).outputSync();
    if (!success) throw new Error(`mkfifo ${this.#path} failed`);
  }

  get #path(): string {
    return join(this.#home, "lines");
  }

  /** Begins a turn of a new thread, as soon as somebody has started the program. */
  async begin(): Promise<void> {
    this.#thread = uuid7();
    const now = new Date();
    const two = (value: number): string => String(value).padStart(2, "0");
    const day = [`${now.getFullYear()}`, two(now.getMonth() + 1), two(now.getDate())];
    const folder = join(this.#home, "sessions", ...day);
    Deno.mkdirSync(folder, { recursive: true });
    const meta = { id: this.#thread, cwd: "/", cli_version: "0.169.0" };
    const head = { timestamp: now.toISOString(), ordinal: 0, type: "session_meta", payload: meta };
    const name = `rollout-${day.join("-")}T00-00-00-${this.#thread}.jsonl`;
    Deno.writeTextFileSync(join(folder, name), JSON.stringify(head) + "\n");
    this.#pipe = await Deno.open(this.#path, { write: true });
    this.print({ type: "thread.started", thread_id: this.#thread });
    this.print({ type: "turn.started" });
  }

  /** A message of the model. */
  say(text: string, n: number): void {
    this.print({ type: "item.completed", item: { id: `item_${n}`, type: "agent_message", text } });
  }

  /** The last line, and the end of the process. */
  end(): void {
    const usage = { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1 };
    this.print({ type: "turn.completed", usage });
    this.#pipe?.close();
    this.#pipe = undefined;
  }

  /** One line. */
  print(event: Record<string, unknown>): void {
    this.#pipe?.writeSync(encoder.encode(JSON.stringify(event) + "\n"));
  }
}

/** A thread id like codex's: it begins with the time. */
function uuid7(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const rest = crypto.randomUUID().slice(15);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest}`;
}
