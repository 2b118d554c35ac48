/**
 * `deno task build`: bundle, compile, try the result, put it in place.
 *
 * Everything is made in a folder of its own and renamed at the end, so dist/ never holds half a
 * build, and a running executable is not disturbed. The result is started once: a wrong base makes a
 * program that starts without complaint and is something else.
 */
import { dirname, join } from "@std/path";
import { unlessMissing } from "../base/files.ts";
import { bundle, type Chunk, sizeTable } from "./bundle.ts";
import { type Base, compile, NoBaseError } from "./compile.ts";
import { commit, NAME, ROOT, sha256, sourceHash, VERSION } from "./project.ts";

/** The executable. */
export const EXECUTABLE: string = join(ROOT, "dist", NAME);

/** The bundle the executable was made from. */
export const BUNDLE: string = join(ROOT, "dist", "bundle");

/** What dist/build.json remembers. */
export interface Build {
  version: string;
  commit: string;
  /** Hash of all sources, see `sourceHash`. */
  sources: string;
  /** Absent when there was no base to compile with, so that only the bundle is there. */
  executable?: { base: Base; bytes: number; sha256: string };
}

/** What to build, and where; everything has its usual value. */
export interface BuildOptions {
  /** The program's first module. */
  entry?: string;
  /** The executable's path; the bundle and build.json are put beside it. */
  output?: string;
  /** A base on disk; absent: the usual ways to one. */
  base?: string;
  /** Told about the chunks once they are there. */
  onBundle?: (chunks: Chunk[]) => void;
}

/**
 * Builds and returns what was built. Throws `NoBaseError` when there is no base to compile with
 * (the bundle is in place then, to be run by Deno itself), `Error` for everything else.
 */
export async function build(options: BuildOptions = {}): Promise<Build> {
  const { entry = join(ROOT, "main.ts"), output = EXECUTABLE } = options;
  const directory = dirname(output);
  Deno.mkdirSync(directory, { recursive: true });
  const work = Deno.makeTempDirSync({ dir: directory, prefix: ".build-" });
  try {
    const made: Build = { version: VERSION, commit: await commit(), sources: await sourceHash() };
    const chunks = await bundle(entry, join(work, "bundle"), made.commit);
    options.onBundle?.(chunks);
    const fresh = join(work, NAME);
    try {
      const base = await compile({
        bundle: join(work, "bundle"),
        output: fresh,
        ...options.base === undefined ? {} : { base: options.base },
      });
      await tryOut(fresh);
      const bytes = Deno.readFileSync(fresh);
      made.executable = { base, bytes: bytes.length, sha256: await sha256(bytes) };
      Deno.renameSync(fresh, output);
    } catch (error) {
      if (error instanceof NoBaseError) place(work, directory, made);
      throw error;
    }
    place(work, directory, made);
    return made;
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
}

/**
 * Runs `work` while no other build of this checkout runs. The lock is the operating system's, so a
 * build that was killed leaves nothing to clean up.
 */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  Deno.mkdirSync(dirname(EXECUTABLE), { recursive: true });
  const path = join(dirname(EXECUTABLE), ".lock");
  using file = Deno.openSync(path, { create: true, write: true, read: true });
  await file.lock(true);
  return await work();
}

/** Starts the executable with `--version`; throws when it does not answer with our version. */
async function tryOut(path: string): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command(path, {
    args: ["--version"],
    stdin: "null",
    signal: AbortSignal.timeout(30_000),
  }).output();
  const decoder = new TextDecoder();
  const answer = decoder.decode(stdout).trim();
  if (code === 0 && answer.split(/\s+/).includes(VERSION)) return;
  throw new Error(
    `The compiled program is not ours: --version answered ${
      JSON.stringify(answer)
    } (exit ${code}) ` +
      `instead of ${VERSION}. A base (DENORT_BIN) that is not the denort of Deno ` +
      `${Deno.version.deno} does this. ${decoder.decode(stderr).trim()}`,
  );
}

/** Puts the bundle and build.json where they belong. */
function place(work: string, directory: string, made: Build): void {
  const target = join(directory, "bundle");
  unlessMissing(() => Deno.renameSync(target, join(work, "previous")));
  Deno.renameSync(join(work, "bundle"), target);
  Deno.writeTextFileSync(join(work, "build.json"), JSON.stringify(made, null, 2) + "\n");
  Deno.renameSync(join(work, "build.json"), join(directory, "build.json"));
}

if (import.meta.main) {
  const started = performance.now();
  try {
    const onBundle = (chunks: Chunk[]) =>
      console.log(`bundle, ${chunks.length} files\n${sizeTable(chunks)}`);
    const made = await alone(() => build({ onBundle }));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const megabytes = ((made.executable?.bytes ?? 0) / 1e6).toFixed(1);
    console.log(`dist/${NAME} ${made.version} (${made.commit}), ${megabytes} MB, ${seconds} s`);
    console.log(`base: ${made.executable?.base}; sha256 ${made.executable?.sha256}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
