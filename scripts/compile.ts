/**
 * `deno compile` with the right base: DENORT_BIN if it is set, else the one Deno downloads itself,
 * else (never for a release) the registry fallback of denort.ts.
 *
 * No failure is remembered: each build asks again, so a build made while the network was down does
 * not change the next one.
 */
import { TextLineStream } from "@std/streams";
import { join } from "@std/path";
import { FALLBACK, fallbackBase, isFallback, say } from "./denort.ts";
import { PERMISSIONS, RUNTIME_FLAGS } from "../tests/support/permissions.ts";

/** Which base binary an executable was made with. */
export type Base = "DENORT_BIN" | "download" | "registry fallback";

/** No base binary can be had, so nothing can be compiled here. */
export class NoBaseError extends Error {
  override name = "NoBaseError";
}

/** What to compile, and how far to go for a base. */
export interface Compilation {
  /** The folder that holds main.mjs and its chunks. */
  bundle: string;
  /** The executable to write. */
  output: string;
  /** A base on disk; absent: DENORT_BIN. */
  base?: string;
  /** For a release: neither DENORT_BIN nor the registry fallback may be used. */
  onlyDownload?: boolean;
  /** A target triple; absent: this machine. */
  target?: string;
  /** Environment variables that differ from this process's; used by tests. */
  env?: Record<string, string>;
}

/** Compiles and says which base it used. Throws `NoBaseError`, or `Error` when the compiler fails. */
export async function compile(compilation: Compilation): Promise<Base> {
  const given = compilation.base ?? Deno.env.get("DENORT_BIN") ?? "";
  if (given !== "" && !compilation.onlyDownload) {
    await run(compilation, given, await isFallback(given));
    return "DENORT_BIN";
  }
  const obstacle = await ordinary(compilation);
  if (obstacle === undefined) return "download";
  if (compilation.onlyDownload) throw new NoBaseError(obstacle);
  const host = Deno.build.target;
  if (host !== FALLBACK.target) {
    throw new NoBaseError(
      noBase(obstacle, `it exists for ${FALLBACK.target} only, this is ${host}`),
    );
  }
  say(
    `${obstacle}, so the copy in npm's ${FALLBACK.package} is used, whose hash is known: good for ` +
      `trying out and testing; releases are made with Deno's own only`,
  );
  let base: string;
  try {
    base = await fallbackBase();
  } catch (error) {
    throw new NoBaseError(noBase(obstacle, error instanceof Error ? error.message : String(error)));
  }
  await run(compilation, base, true);
  return "registry fallback";
}

function noBase(obstacle: string, fallbackObstacle: string): string {
  return `Cannot compile: deno compile needs a base binary (denort) and none can be had. ` +
    `The ordinary download failed: ${obstacle}. The registry fallback failed: ${fallbackObstacle}. ` +
    `Set DENORT_BIN to the denort of Deno ${Deno.version.deno}, or give this machine a way to ` +
    `one of the two.`;
}

/** Compiles with a base that is on disk. */
async function run(compilation: Compilation, base: string, needsFallbackDeno: boolean) {
  const [command, ...leading] = needsFallbackDeno && Deno.version.deno !== FALLBACK.deno
    ? ["npx", "-y", `deno@${FALLBACK.deno}`] as const
    : [Deno.execPath()] as const;
  if (command === "npx") say(`this base needs Deno ${FALLBACK.deno}: compiling with npx`);
  const { success, stderr } = await new Deno.Command(command, {
    args: [...leading, ...compileArguments(compilation)],
    cwd: compilation.bundle,
    env: { ...environment(compilation), DENORT_BIN: base },
    clearEnv: true,
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stderr).trim();
  if (!success) throw new Error(`deno compile with the base ${base}: ${said}`);
}

/** How long the base's host may take to answer at all, and to deliver, in ms. */
const PATIENCE = { answer: 5_000, whole: 600_000 };

/**
 * Compiles and leaves the base to Deno, which downloads it unless it has it already. Returns
 * undefined, or why the base could not be had. Deno itself waits for minutes on a network that
 * swallows packets, so the host named in its "Download" line is asked for a sign of life meanwhile.
 */
async function ordinary(compilation: Compilation): Promise<string | undefined> {
  const giveUp = new AbortController();
  const done = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), PATIENCE.whole);
  const child = new Deno.Command(Deno.execPath(), {
    args: compileArguments(compilation),
    cwd: compilation.bundle,
    env: environment(compilation),
    clearEnv: true,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    signal: giveUp.signal,
  }).spawn();
  const said: string[] = [];
  let url: string | undefined;
  let sign: Promise<void> | undefined;
  const lines = child.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    said.push(line);
    url ??= /^Download (https:\S+)/.exec(line)?.[1];
    if (url !== undefined) sign ??= signOfLife(url, giveUp, done.signal);
  }
  const { success } = await child.status;
  clearTimeout(timer);
  done.abort();
  await sign;
  if (success) return undefined;
  const text = said.join("\n").trim();
  if (!giveUp.signal.aborted && !/base binary/i.test(text)) {
    throw new Error(`deno compile: ${text}`);
  }
  return url === undefined ? text : `cannot download ${url}`;
}

/** Asks the host of `url` to answer, and gives up on the download when it does not. */
async function signOfLife(url: string, giveUp: AbortController, done: AbortSignal): Promise<void> {
  try {
    const signal = AbortSignal.any([done, AbortSignal.timeout(PATIENCE.answer)]);
    await fetch(url, { method: "HEAD", signal });
    say(`Deno is downloading ${url}`);
  } catch {
    if (!done.aborted) giveUp.abort();
  }
}

/** The compiler's environment: no base but the one meant, and plain words, because they are read. */
function environment({ env = {} }: Compilation): Record<string, string> {
  const { DENORT_BIN: _, RUST_BACKTRACE: __, RUST_LIB_BACKTRACE: ___, ...rest } = Deno.env
    .toObject();
  return { ...rest, NO_COLOR: "1", ...env };
}

function compileArguments({ bundle, output, target }: Compilation): string[] {
  return [
    "compile",
    ...RUNTIME_FLAGS,
    ...PERMISSIONS,
    ...(target === undefined ? [] : ["--target", target]),
    "--output",
    output,
    join(bundle, "main.mjs"),
  ];
}
