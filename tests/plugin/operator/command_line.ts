/**
 * The executable's commands, run as a person's shell would run them, and a place to do it in.
 */
import { join } from "@std/path";
import { executable } from "../../support/checkout.ts";
import { newTestFolder } from "../../support/cache.ts";

/** What a command left. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** How to run a command. */
export interface RunOptions {
  /** The whole environment. */
  env?: Record<string, string>;
  cwd?: string;
  stdin?: string;
  /** Run instead of the project's executable, e.g. an installed copy. */
  program?: string;
}

/** Runs the executable with `args` to its end. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const own = await executable();
  const { command, args: first } = options.program === undefined
    ? own
    : { command: options.program, args: [] };
  const child = new Deno.Command(command, {
    args: [...first, ...args],
    clearEnv: true,
    env: options.env ?? {},
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  if (options.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(options.stdin)).catch(() => {});
    await writer.close().catch(() => {});
  }
  const [stdout, stderr] = await output;
  return { code: (await child.status).code, stdout, stderr };
}

/** Whether there is a compiled executable: only that one can install itself. */
export async function isCompiled(): Promise<boolean> {
  return (await executable()).compiled;
}

/** A folder that goes with the test. */
export class Folder implements Disposable {
  readonly path: string = newTestFolder();

  /** A path in it. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

async function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(stream).text();
}
