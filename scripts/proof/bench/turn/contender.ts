/**
 * A contender: a process that stays warm and runs turns when it is asked to, timing them itself. Each
 * has a codex home and workspaces of its own, all configured alike.
 */
import { join } from "@std/path";

/** A turn to run. */
export interface Asked {
  /** Absolute path, exists. */
  workspace: string;
  prompt: string;
  /** The thread to resume. */
  thread?: string;
  /** Tools of the host; only the plugin takes them. */
  tools?: { name: string; description: string; inputSchema: unknown }[];
  /** Has the plugin take something out of the thread before; its time does not count. */
  consume?: boolean;
}

/** How long it took. */
export interface Took {
  /** From the request until the contender holds its turn to be over. */
  ms: number;
  /** From the request until codex's `turn.completed` was read, where that is told apart. */
  toldMs: number;
  /** From the request until the first piece of text, where that is told apart. */
  deltaMs?: number;
  thread: string;
}

/** A running contender. */
export class Contender implements AsyncDisposable {
  readonly #home: string;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncGenerator<string>;
  #workspaces = 0;
  #last: { workspace: string; thread: string } | undefined;

  /** Starts it. `home` is a folder of its own; below it lies the codex home. */
  constructor(command: string[], home: string, env: Record<string, string> = {}) {
    this.#home = home;
    this.#child = new Deno.Command(command[0] ?? "", {
      args: command.slice(1),
      cwd: home,
      env: { PATH: Deno.env.get("PATH") ?? "", ...environment(home), ...env },
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#answers = lines(this.#child.stdout);
  }

  /** The process that times the turns. */
  get pid(): number {
    return this.#child.pid;
  }

  /** A first turn, in a workspace that nobody has used. */
  async begin(more: Pick<Asked, "tools"> = {}): Promise<Took> {
    const workspace = join(this.#home, "work", String(++this.#workspaces));
    Deno.mkdirSync(workspace, { recursive: true });
    const took = await this.#run({ workspace, prompt: "Say ok.", ...more });
    this.#last ??= { workspace, thread: took.thread };
    return took;
  }

  /** One more turn of its first thread. */
  async resume(more: Pick<Asked, "tools" | "consume"> = {}): Promise<Took> {
    if (this.#last === undefined) await this.begin();
    if (this.#last === undefined) throw new Error("no thread to resume");
    return await this.#run({ ...this.#last, prompt: "Say ok again.", ...more });
  }

  async #run(asked: Asked): Promise<Took> {
    await this.#writer.write(new TextEncoder().encode(JSON.stringify(asked) + "\n"));
    const { value } = await this.#answers.next();
    if (value === undefined) throw new Error("a contender ended; see what it said above");
    return JSON.parse(value) as Took;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#answers.return(undefined);
    await this.#child.status;
  }
}

/** The environment of everything that runs below `home`. */
export function environment(home: string): Record<string, string> {
  return {
    HOME: home,
    CODEX_HOME: join(home, "codex"),
    PLEXUM_PROFILE_ROOT: join(home, "p"),
    XDG_RUNTIME_DIR: join(home, "rt"),
    TMPDIR: join(home, "tmp"),
  };
}

/** The lines, without their newline; an unterminated last one is left out. */
export async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
