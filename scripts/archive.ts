/**
 * Archives (.tar.gz, POSIX ustar) that depend on their content only: no times, no owners. Written
 * here because the tar of Linux and the tar of macOS need different options for that.
 */

/** One file of an archive. */
export interface Entry {
  /** The path inside, at most 100 bytes. */
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Permission bits, such as 0o755. */
  mode: number;
}

/** The gzipped archive of the entries, in their order. Throws `RangeError` for a long name. */
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
