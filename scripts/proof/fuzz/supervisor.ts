/**
 * Runs a target in a process of its own and watches it: whatever it does (throw, die, hang, grow),
 * the case that did it is known afterwards.
 */
import { Buffer } from "node:buffer";
import { fromFileUrl, join } from "@std/path";
import { TextLineStream } from "@std/streams";
import { allProcesses } from "../../../tests/support/processes.ts";
import { ROOT } from "../../project.ts";
import { CURRENT, type Report, type TargetEntry } from "./target.ts";

/** What to run. */
export interface Order {
  target: TargetEntry;
  cases: number;
  seed: number;
  /** Files of cases that failed once; they are run first. */
  kept: string[];
}

/** What became of it. */
export interface Outcome {
  cases: number;
  kept: number;
  seconds: number;
  /** The most memory that the process, or one that it started, had at a time. */
  peakMiB: number;
  /** `bytes` is absent where no case had begun. */
  failure?: { bytes: Uint8Array | undefined; message: string };
}

/** No case takes a thousandth of that. */
const HANG_MS = 60_000;
const MEMORY_MAX_MIB = 1024;
const LOOK_MS = 1000;

/** Runs it to its end, or to the first failure. */
export async function supervise(order: Order): Promise<Outcome> {
  const directory = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "pf" }));
  const { target, cases, seed, kept } = order;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", ...permissions(target, directory)],
      fromFileUrl(new URL("./worker.ts", import.meta.url)),
      ...[target.name, directory, String(seed), String(cases), ...kept],
    ],
    cwd: ROOT,
    env: { TMPDIR: directory },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const outcome: Outcome = { cases: 0, kept: 0, seconds: 0, peakMiB: 0 };
  const started = performance.now();
  const watch = new Watch(child.pid, directory, (reason) => {
    outcome.failure ??= { bytes: currentCase(directory), message: reason };
    child.kill("SIGKILL");
  });
  const looking = setInterval(() => void watch.look(outcome), LOOK_MS);
  try {
    const stderr = new Response(child.stderr).text();
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) take(JSON.parse(line), outcome);
    const { code, signal } = await child.status;
    const message = `${signal ?? `exit ${code}`}: ${(await stderr).slice(-4000)}`;
    if (code !== 0) outcome.failure ??= { bytes: currentCase(directory), message };
    outcome.seconds = (performance.now() - started) / 1000;
    return outcome;
  } finally {
    clearInterval(looking);
    await watch.looked;
    Deno.removeSync(directory, { recursive: true });
  }
}

function take(report: Report, outcome: Outcome): void {
  switch (report.kind) {
    case "ready":
      outcome.kept = report.kept;
      return;
    case "progress":
      outcome.cases += report.cases;
      return;
    case "failure": {
      const bytes = Uint8Array.from(Buffer.from(report.case, "base64"));
      outcome.failure ??= { bytes, message: report.message };
    }
  }
}

/** Only the target that starts the executable may start anything or write elsewhere. */
function permissions(target: TargetEntry, directory: string): string[] {
  if (target.name === "executable") return ["--allow-all"];
  return [
    ...["--no-prompt", "--allow-read", "--allow-env", "--allow-net", "--allow-sys"],
    `--allow-write=${directory}`,
  ];
}

function currentCase(directory: string): Uint8Array | undefined {
  try {
    const head = Deno.readFileSync(join(directory, CURRENT));
    const length = new DataView(head.buffer).getUint32(4);
    return head.subarray(8, 8 + length);
  } catch {
    return undefined;
  }
}

/** Looks at the process now and then. */
class Watch {
  looked: Promise<void> = Promise.resolve();
  readonly #pid: number;
  readonly #directory: string;
  readonly #end: (reason: string) => void;
  #case = -1;
  #since = performance.now();

  constructor(pid: number, directory: string, end: (reason: string) => void) {
    this.#pid = pid;
    this.#directory = directory;
    this.#end = end;
  }

  look(outcome: Outcome): void {
    this.looked = this.looked.then(async () => {
      const now = caseNumber(this.#directory);
      if (now !== this.#case) this.#since = performance.now();
      this.#case = now;
      if (performance.now() - this.#since > HANG_MS) this.#end(`hangs: ${HANG_MS} ms in one case`);
      const mebibytes = await memoryOf(this.#pid);
      outcome.peakMiB = Math.max(outcome.peakMiB, mebibytes);
      if (mebibytes > MEMORY_MAX_MIB) this.#end(`uses ${mebibytes} MiB of memory`);
    });
  }
}

function caseNumber(directory: string): number {
  try {
    return new DataView(Deno.readFileSync(join(directory, CURRENT)).buffer).getUint32(0);
  } catch {
    return -1;
  }
}

/** Of the process and of those that it started, whichever has most. */
async function memoryOf(pid: number): Promise<number> {
  const own = (await allProcesses()).filter((one) => one.pid === pid || one.ppid === pid);
  return Math.round(Math.max(0, ...own.map(({ mebibytes }) => mebibytes)));
}

/** How often to try; a case that is a little larger than needed is good enough. */
const ATTEMPTS = 3000;

/** The smallest case found; `fails` says whether one still fails. */
export async function shrink(
  bytes: Uint8Array,
  fails: (smaller: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let smallest = bytes;
  let attempts = 0;
  for (let size = Math.ceil(bytes.length / 2); size >= 1 && attempts < ATTEMPTS;) {
    let shrunk = false;
    for (let at = 0; at < smallest.length && attempts < ATTEMPTS; attempts++) {
      const smaller = without(smallest, at, size);
      if (await fails(smaller)) {
        smallest = smaller;
        shrunk = true;
      } else at += size;
    }
    if (!shrunk || size > smallest.length) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return smallest;
}

function without(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
}
