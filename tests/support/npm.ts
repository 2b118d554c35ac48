/**
 * Tarballs from the npm registry, with progress: what it is, its size, how much of it is there.
 *
 * npm says where a tarball is and what its hash must be, so the machine's own registry settings
 * hold. Deno fetches it, because npm shows no progress in a pipe; where Deno cannot, npm does.
 */
import { join } from "@std/path";

/** Where a tarball is, and the Subresource Integrity that it must have. */
interface Dist {
  tarball: string;
  integrity: string;
}

/** How long npm may take, in ms; its own limits come to a quarter of an hour. */
const PATIENCE = 600_000;

/**
 * Fetches the tarball of `spec` (`name@version`), checks it, and unpacks what is below its `package/`
 * into the new folder `into`. `what` is how a person knows it. Throws Error with what to do about it.
 */
export async function unpackFromNpm(spec: string, into: string, what: string): Promise<string> {
  try {
    const dist = JSON.parse(await npm(["view", spec, "dist", "--json"])) as Dist;
    await Deno.mkdir(into, { recursive: true });
    const tarball = join(into, ".tarball");
    await Deno.writeFile(tarball, await bytesOf(spec, dist, into, what));
    await run("tar", ["-xzf", tarball, "-C", into, "--strip-components=1"]);
    await Deno.remove(tarball);
    return dist.integrity;
  } catch (error) {
    throw fetchError(what, spec, error);
  }
}

/** What a person is told when a fetch failed: what was to be fetched, why, and what to do about it. */
export function fetchError(what: string, spec: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(
    `Cannot fetch ${what} from npm (${spec}): ${reason}. It is fetched once and kept. Behind a ` +
      `private certificate authority, set DENO_TLS_CA_STORE=system,mozilla for Deno and \`cafile\` ` +
      `for npm; behind a proxy, set HTTPS_PROXY; without a network, copy the folder ` +
      `~/.cache/plexum-openai-provider of a machine that has it.`,
    { cause },
  );
}

async function bytesOf(spec: string, dist: Dist, folder: string, what: string) {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await download(dist.tarball, what);
  } catch {
    // A registry that only npm can log into, a proxy that only npm knows.
    await npm(["pack", spec, "--silent", "--ignore-scripts", "--pack-destination", folder]);
    const [packed] = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".tgz"));
    if (!packed) throw new Error("npm pack left no tarball");
    bytes = await Deno.readFile(join(folder, packed.name));
    await Deno.remove(join(folder, packed.name));
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", bytes));
  const integrity = `sha512-${btoa(String.fromCharCode(...digest))}`;
  if (integrity === dist.integrity) return bytes;
  throw new Error(`its integrity is ${integrity}, and the registry says ${dist.integrity}`);
}

async function download(url: string, what: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
  if (!response.ok || !response.body) throw new Error(`${url} answered ${response.status}`);
  const total = Number(response.headers.get("content-length"));
  const progress = new Progress(what, total);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of response.body) {
    chunks.push(new Uint8Array(chunk));
    progress.add(chunk.length);
  }
  progress.end();
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** One line on stderr: rewritten on a terminal, else told now and then. */
export class Progress {
  readonly #what: string;
  readonly #total: number;
  readonly #say: (text: string) => void;
  readonly #terminal: boolean;
  readonly #started = performance.now();
  #done = 0;
  #told = -1;

  /** `total` in bytes, 0 when it is not known. */
  constructor(
    what: string,
    total: number,
    terminal: boolean = Deno.stderr.isTerminal(),
    say: (text: string) => void = (text) => Deno.stderr.writeSync(new TextEncoder().encode(text)),
  ) {
    [this.#what, this.#total, this.#terminal, this.#say] = [what, total, terminal, say];
    if (!this.#small) this.#tell(0);
  }

  /** Done before anybody wonders. */
  get #small(): boolean {
    return this.#total > 0 && this.#total < 2 ** 20;
  }

  /** So many more bytes are there. */
  add(bytes: number): void {
    this.#done += bytes;
    const percent = this.#total > 0 ? Math.floor(100 * this.#done / this.#total) : 0;
    // In a pipe each quarter is told, on a terminal each percent.
    const step = this.#terminal ? percent : percent - percent % 25;
    if (step > this.#told && step < 100 && !this.#small) this.#tell(step);
  }

  /** All of it is there. */
  end(): void {
    if (this.#small) return;
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    this.#line(`fetched ${this.#what}, ${mebibytes(this.#done)} MiB in ${seconds} s`);
    if (this.#terminal) this.#say("\n");
  }

  #tell(percent: number): void {
    this.#told = percent;
    const size = this.#total > 0 ? `${percent} % of ${mebibytes(this.#total)} MiB` : "size unknown";
    this.#line(`fetching ${this.#what}: ${size}`);
  }

  #line(text: string): void {
    this.#say(this.#terminal ? `\r\x1b[K${text}` : `${text}\n`);
  }
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0);
}

/** Runs npm to its end; what it printed. Throws Error with the end of what it said against it. */
export function npm(args: string[], cwd?: string): Promise<string> {
  return run("npm", [...args, "--no-update-notifier", "--loglevel=error"], cwd);
}

async function run(command: string, args: string[], cwd?: string): Promise<string> {
  const { success, code, stdout, stderr } = await new Deno.Command(command, {
    args,
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    signal: AbortSignal.timeout(PATIENCE),
  }).output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  const said = decoder.decode(stderr).trim().slice(-500);
  throw new Error(`${command} ${args[0]} failed with exit code ${code}: ${said}`);
}
