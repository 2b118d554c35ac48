/**
 * The process in which cases run: it may die or hang, the supervisor sees to that. Before each case
 * the case is written to a file, so that it is known what it died of.
 *
 * Started as `worker.ts TARGET DIRECTORY SEED CASES [KEPT_CASE…]`; says what happened in JSON lines.
 */
import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { join } from "@std/path";
import { shrink } from "./supervisor.ts";
import { CURRENT, type Report, type Runner, stopTicking, TARGETS, tick } from "./target.ts";

/** Cases of one fast-check run; each has a seed of its own. */
const ROUND = 1000;
const [name, directory = "", seed = "1", cases = "0", ...kept] = Deno.args;
const target = await TARGETS.find((target) => target.name === name)?.load();
if (target === undefined) throw new Error(`no fuzz target ${name}`);
const current = Deno.openSync(join(directory, CURRENT), { create: true, write: true });
const rejections: unknown[] = [];
const parent = Deno.ppid;
let count = 0;

addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  rejections.push(event.reason);
});

function say(report: Report): void {
  console.log(JSON.stringify(report));
}

async function runOne(runner: Runner, bytes: Uint8Array): Promise<void> {
  const head = new Uint8Array(8 + bytes.length);
  new DataView(head.buffer).setUint32(0, ++count);
  new DataView(head.buffer).setUint32(4, bytes.length);
  head.set(bytes, 8);
  current.seekSync(0, Deno.SeekMode.Start);
  current.writeSync(head);
  const result = runner.run(bytes);
  if (result === undefined) return;
  await result;
  // A rejection that nobody waits for shows up two turns of the event loop later.
  await tick();
  await tick();
  if (rejections.length > 0) throw rejections.splice(0)[0];
}

async function failed(runner: Runner, bytes: Uint8Array, error: unknown): Promise<void> {
  const fails = async (smaller: Uint8Array): Promise<boolean> => {
    try {
      await runOne(runner, smaller);
      return false;
    } catch {
      return true;
    }
  };
  const small = await shrink(bytes, fails);
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  say({
    kind: "failure",
    case: Buffer.from(small).toString("base64"),
    message: text.slice(0, 4000),
  });
}

async function fuzz(runner: Runner, cases: number, seed: number): Promise<boolean> {
  let broken: { bytes: Uint8Array; error: unknown } | undefined;
  for (let done = 0; done < cases && broken === undefined; done += ROUND) {
    const property = fc.asyncProperty(target?.cases ?? fc.uint8Array(), async (bytes) => {
      try {
        await runOne(runner, bytes);
      } catch (error) {
        broken ??= { bytes, error };
        throw error;
      }
    });
    if (Deno.ppid !== parent) Deno.exit(1); // nobody watches any more
    const numRuns = Math.min(ROUND, cases - done);
    await fc.check(property, { numRuns, seed: seed + done, endOnFailure: true });
    say({ kind: "progress", cases: numRuns });
  }
  if (broken !== undefined) await failed(runner, broken.bytes, broken.error);
  return broken === undefined;
}

const runner = await target.open(directory);
let good = true;
for (const path of kept) {
  const bytes = Deno.readFileSync(path);
  await runOne(runner, bytes).catch((error) => {
    good = false;
    const message = `${path}: ${error instanceof Error ? error.stack : error}`;
    say({
      kind: "failure",
      case: Buffer.from(bytes).toString("base64"),
      message: message.slice(0, 4000),
    });
  });
}
say({ kind: "ready", kept: kept.length });
if (good) good = await fuzz(runner, Number(cases), Number(seed));
await runner.close?.();
stopTicking();
current.close();
Deno.exit(good ? 0 : 1);
