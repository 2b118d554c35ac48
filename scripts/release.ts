/**
 * `deno task release`: one archive per platform and their SHA256SUMS in dist/release.
 *
 * Only the base binaries that Deno itself publishes go into a release: neither DENORT_BIN nor the
 * registry fallback, however well its hash is known here. The bundle is made once, so the platforms
 * differ in their base only.
 */
import { join } from "@std/path";
import { bundle } from "./bundle.ts";
import { compile, NoBaseError } from "./compile.ts";
import { commit, NAME, ROOT, sha256, VERSION } from "./project.ts";

/** One file of an archive. */
export interface Entry {
  /** The path inside, at most 100 bytes. */
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Permission bits, such as 0o755. */
  mode: number;
}

/**
 * The archive (.tar.gz, POSIX ustar) of the entries, in their order. It depends on their content only: no
 * times, no owners; the tar of Linux and that of macOS need different options for that. Throws `RangeError`
 * for a long name.
 */
export async function archive(entries: Entry[]): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const entry of entries) {
    const padding = new Uint8Array((BLOCK - entry.bytes.length % BLOCK) % BLOCK);
    parts.push(header(entry), entry.bytes, padding);
  }
  parts.push(new Uint8Array(2 * BLOCK));
  const zipped = new Blob(parts).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(zipped).arrayBuffer());
}

const BLOCK = 512;

function header({ name, bytes, mode }: Entry): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (offset: number, text: string) =>
    void block.set(new TextEncoder().encode(text), offset);
  const octal = (value: number, width: number) => value.toString(8).padStart(width, "0") + "\0";
  if (new TextEncoder().encode(name).length > 100) {
    throw new RangeError(`Cannot archive ${name}: the name must have at most 100 bytes`);
  }
  put(0, name);
  put(100, octal(mode, 7));
  put(108, octal(0, 7)); // owner
  put(116, octal(0, 7)); // group
  put(124, octal(bytes.length, 11));
  put(136, octal(0, 11)); // time
  put(156, "0"); // a regular file
  put(257, "ustar\x0000");
  put(148, " ".repeat(8)); // the checksum counts itself as spaces
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, octal(sum, 6));
  return block;
}

/** Platform names, as archives have them, and Deno's names for them. */
export const TARGETS: Readonly<Record<string, string>> = {
  "linux-x64": "x86_64-unknown-linux-gnu",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "macos-x64": "x86_64-apple-darwin",
  "macos-arm64": "aarch64-apple-darwin",
};

/** Where a release comes from and goes to. */
export interface ReleaseOptions {
  /** The program's first module. */
  entry: string;
  /** The folder for the archives; it must exist. */
  output: string;
  /** Environment for the compiler beyond this process's; used by tests. */
  env?: Record<string, string>;
}

/** Why a release cannot be made here and now, or undefined. */
export function objection(denortBin: string | undefined, from: string): string | undefined {
  if (denortBin !== undefined && denortBin !== "") {
    return `Cannot release: DENORT_BIN is set (${denortBin}), and a release is made only from the ` +
      `base binaries Deno publishes. Unset it.`;
  }
  if (from === "unknown" || from.endsWith("-dirty")) {
    return `Cannot release: the sources are not those of a commit (${from}). Commit them first.`;
  }
  return undefined;
}

/**
 * Makes the archives and SHA256SUMS; returns its lines. Throws `NoBaseError` when the base for a
 * platform cannot be downloaded; archives made before that stay, without SHA256SUMS.
 */
export async function release(options: ReleaseOptions): Promise<string[]> {
  const { entry, output, env = {} } = options;
  const work = Deno.makeTempDirSync({ dir: output, prefix: ".release-" });
  const sums: string[] = [];
  try {
    await bundle(entry, join(work, "bundle"), await commit());
    for (const [platform, target] of Object.entries(TARGETS)) {
      const program = join(work, NAME);
      await compileFor(target, { bundle: join(work, "bundle"), output: program, env });
      const name = `${NAME}-${VERSION}-${platform}`;
      const bytes = await archive([
        { name: `${name}/${NAME}`, bytes: Deno.readFileSync(program), mode: 0o755 },
        { name: `${name}/LICENSE`, bytes: Deno.readFileSync(join(ROOT, "LICENSE")), mode: 0o644 },
      ]);
      Deno.writeFileSync(join(output, `${name}.tar.gz`), bytes);
      sums.push(`${await sha256(bytes)}  ${name}.tar.gz`);
    }
    Deno.writeTextFileSync(join(output, "SHA256SUMS"), sums.join("\n") + "\n");
    return sums;
  } finally {
    Deno.removeSync(work, { recursive: true });
  }
}

async function compileFor(
  target: string,
  files: { bundle: string; output: string; env: Record<string, string> },
): Promise<void> {
  try {
    await compile({ ...files, target, onlyDownload: true });
  } catch (error) {
    if (!(error instanceof NoBaseError)) throw error;
    throw new NoBaseError(
      `Cannot release for ${target}: ${error.message}. The registry fallback is for working on ` +
        `this project and never goes into a release; release where Deno's own download works.`,
    );
  }
}

if (import.meta.main) {
  const output = join(ROOT, "dist", "release");
  try {
    const no = objection(Deno.env.get("DENORT_BIN"), await commit());
    if (no !== undefined) throw new Error(no);
    Deno.mkdirSync(output, { recursive: true });
    for (const line of await release({ entry: join(ROOT, "main.ts"), output })) console.log(line);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
