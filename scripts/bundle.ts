/**
 * The bundle: main.ts and everything it imports as a few ES modules.
 *
 * Split, so that what only some runs need (the MCP SDK and the full zod, some 50 ms of start-up) is
 * its own chunk behind an `import()`, and `checkStart` proves it stays there.
 */
import { basename, join } from "@std/path";
import * as esbuild from "esbuild";
import { localImports, ROOT, VERSION } from "./project.ts";

/** One file of the bundle. */
export interface Chunk {
  file: string;
  /** Size in bytes. */
  bytes: number;
  /** Whether a start of the program loads it, or only what the program does later. */
  loaded: "start" | "later";
}

/** Packages that no start of the program may load, by a part of their path in node_modules. */
const LATER_ONLY: Record<string, RegExp> = {
  "@modelcontextprotocol/sdk": /node_modules\/@modelcontextprotocol\/sdk\//,
  "zod (use zod/mini)": /node_modules\/zod\/(?:v4\/classic|v3)\//,
  // 340 KB that come along as soon as a namespace inside `z` is named (`z.core.…`, `z.locales`).
  "zod's locales": /node_modules\/zod\/v4\/locales\//,
  "string-width (use cli/terminal.ts)": /node_modules\/(?:string-width|wrap-ansi)\//,
};

/**
 * Writes the bundle of `entry` to `directory` (emptied first) and returns its chunks, the entry's
 * first. All times are set to 0, because `deno compile` records them and builds must be equal.
 * Throws when esbuild fails or when a start would load what it must not.
 */
export async function bundle(entry: string, directory: string, commit: string): Promise<Chunk[]> {
  Deno.mkdirSync(directory, { recursive: true });
  try {
    const { metafile } = await esbuild.build({
      absWorkingDir: ROOT,
      entryPoints: { main: entry },
      outdir: directory,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      target: "esnext",
      mainFields: ["module", "main"],
      alias: localImports(),
      define: { PLEXUM_VERSION: JSON.stringify(VERSION), PLEXUM_COMMIT: JSON.stringify(commit) },
      minifySyntax: true,
      legalComments: "eof",
      logLevel: "warning",
      metafile: true,
    });
    const start = startGraph(metafile);
    checkStart(metafile, start);
    for (const { name } of Deno.readDirSync(directory)) Deno.utimeSync(join(directory, name), 0, 0);
    return Object.entries(metafile.outputs)
      .map(([path, { bytes }]): Chunk => {
        return { file: basename(path), bytes, loaded: start.has(path) ? "start" : "later" };
      })
      .sort((a, b) => order(a) - order(b) || b.bytes - a.bytes);
  } finally {
    await esbuild.stop();
  }
}

function order(chunk: Chunk): number {
  return chunk.file === "main.mjs" ? 0 : chunk.loaded === "start" ? 1 : 2;
}

/**
 * The outputs a start may load: main.mjs, the faces of the program it dispatches to by `import()`,
 * and what these import statically, directly or not.
 */
export function startGraph({ outputs }: esbuild.Metafile): Set<string> {
  const seen = new Set(Object.keys(outputs).filter((path) => basename(path) === "main.mjs"));
  for (const path of seen) {
    const dispatches = basename(path) === "main.mjs";
    for (const { kind, path: next } of outputs[path]?.imports ?? []) {
      if (next in outputs && (kind === "import-statement" || dispatches)) seen.add(next);
    }
  }
  return seen;
}

/** Throws when a chunk that a start may load holds code of a package that must come later. */
export function checkStart({ outputs }: esbuild.Metafile, start: Set<string>): void {
  for (const path of start) {
    for (const [input, { bytesInOutput }] of Object.entries(outputs[path]?.inputs ?? {})) {
      for (const [name, pattern] of Object.entries(LATER_ONLY)) {
        if (bytesInOutput === 0 || !pattern.test(input)) continue;
        throw new Error(
          `${name} would be loaded when the program starts: ${input} is in ${basename(path)}. ` +
            `Put the modules that need it behind an import() of their own.`,
        );
      }
    }
  }
}

/** The chunks as a table for people. */
export function sizeTable(chunks: Chunk[]): string {
  return chunks.map(({ file, bytes, loaded }) => {
    const size = `${(bytes / 1024).toFixed(1)} KiB`.padStart(12);
    return `  ${file.padEnd(34)}${size}  ${loaded === "start" ? "at start" : "when needed"}`;
  }).join("\n");
}
