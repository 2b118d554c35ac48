/**
 * A contender: a process that stays warm and runs turns when it is asked to, timing them itself. Each
 * has a sandbox of its own, all made alike: the same codex, and a model that answers at once.
 */
import { join } from "@std/path";
import { executable } from "../../../../tests/support/checkout.ts";
import { codexBinary, NEWEST_CODEX } from "../../../../tests/support/codex.ts";
import { CODEX_SDK, npmModules, type Package } from "../../../../tests/support/npm_package.ts";
import {
  openSandbox,
  type Sandbox,
  type SandboxOptions,
} from "../../../../tests/support/sandbox.ts";
import { type Figure, ratio } from "../figures/figure.ts";
import { pairs } from "../../series.ts";

/** Who may come: the plugin, a bare `codex exec` and the others of `in_node.mjs`. */
export type Entrant =
  | ("plugin" | "deno" | "node" | "smallest")
  | ("codexSdk" | "aiSdk" | "appServer");

/** What packages of others are compared with, and what these need. */
export const PEERS: readonly Package[] = [
  CODEX_SDK,
  ["ai-sdk-provider-codex-cli", "2.2.1"],
  ["ai", "7.0.173"],
  ["zod", "4.6.7"],
];

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
  thread: string;
}

/** A running contender. */
export class Contender implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncGenerator<string>;
  #workspaces = 0;
  #last: { workspace: string; thread: string } | undefined;

  private constructor(sandbox: Sandbox, [command = "", ...args]: string[]) {
    this.#sandbox = sandbox;
    this.#child = new Deno.Command(command, {
      args,
      cwd: sandbox.root,
      env: sandbox.env,
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#answers = lines(this.#child.stdout);
  }

  /** Lets somebody in. */
  static async enter(name: Entrant, options: Partial<SandboxOptions> = {}): Promise<Contender> {
    const { native } = await codexBinary(NEWEST_CODEX);
    const program = await programOf(name, native);
    return new Contender(await openSandbox({ binary: native, ...options }), program);
  }

  /** A first turn, in a workspace that nobody has used. */
  async begin(more: Pick<Asked, "tools"> = {}): Promise<Took> {
    const workspace = await this.#sandbox.newWorkspace(`w${++this.#workspaces}`);
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
    await using _sandbox = this.#sandbox;
    await this.#writer.close().catch(() => {});
    await this.#answers.return(undefined);
    await this.#child.status;
  }
}

async function programOf(name: Entrant, codex: string): Promise<string[]> {
  const here = (file: string): string => join(import.meta.dirname ?? "", file);
  const deno = [Deno.execPath(), "run", "--quiet", "--no-check", "--allow-all", here("in_deno.ts")];
  if (name === "deno") return [...deno, name, codex];
  if (name === "plugin") {
    const { command, args } = await executable();
    return [...deno, name, command, ...args];
  }
  const packages = name === "node" || name === "smallest" ? "" : await npmModules(...PEERS);
  return ["node", here("in_node.mjs"), name, codex, packages];
}

/**
 * The figure of two that run in turn, so many times. Where `told` has words, a second figure is against
 * what they tell of the other: until it has read `turn.completed`.
 */
export async function compare(
  { told, ...words }: { question: string; name: string; goal?: number; told?: string },
  count: number,
  ours: () => Promise<Took>,
  theirs: () => Promise<Took>,
): Promise<Figure[]> {
  const { a, b } = await pairs(count, ours, theirs);
  const ms = a.map(({ ms }) => ms);
  const whole = ratio({ ...words, ours: ms, theirs: b.map(({ ms }) => ms) });
  if (told === undefined) return [whole];
  const { question } = words;
  return [whole, ratio({ question, name: told, ours: ms, theirs: b.map((took) => took.toldMs) })];
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
