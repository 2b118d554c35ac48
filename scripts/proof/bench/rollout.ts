/**
 * What reading, following and consuming a session costs.
 *
 *     deno run -A scripts/proof/bench/rollout.ts [--quick] [--no-scan]
 *
 * Scanning is compared with reading alone, `wc -l`, `jq` and parsing every line; consume and follow with
 * themselves at other session sizes (1 MB, 100 MB and 1 GB, which takes 1.1 GB of disk; not with --quick).
 */
import { mutate, type Session } from "../../../rollout/consume/consume.ts";
import { Follower } from "../../../rollout/follow.ts";
import { kindOf } from "../../../rollout/records/line_kind.ts";
import { decodeRecord } from "../../../rollout/records/records.ts";
import { scanLines } from "../../../rollout/scan.ts";
import { StateStore } from "../../../rollout/state/state.ts";
import { ZERO_USAGE } from "../../../runner/thread/usage.ts";
import { figure, ratio, report } from "./figures/figure.ts";
import { short } from "../../table.ts";
import { median, ratios, rounds } from "../series.ts";
import { type BenchSession, writeSession } from "./rollout/session.ts";

const ROUNDS = 21;
const decoder = new TextDecoder();
const root = Deno.makeTempDirSync({ prefix: "plexum-bench-" });
try {
  if (Deno.args[0] === "--memory") {
    memoryOfScan(Deno.args[1] ?? "");
  } else {
    const sizes = Deno.args.includes("--quick") ? [1, 100] : [1, 100, 1000];
    if (!Deno.args.includes("--no-scan")) await benchScan();
    await benchConsumeAndFollow(sizes);
  }
} finally {
  Deno.removeSync(root, { recursive: true });
}

async function benchScan(): Promise<void> {
  const { path, bytes, lines } = writeSession(`${root}/scan`, 200);
  const tools = await availableTools(path);
  const times = await rounds(5, {
    "read only": () => readOnly(path),
    "wc -l": tools.wc,
    "scan: split and classify": () => scan(path, () => {}),
    "scan: decode calls and token counts": () => scan(path, decodeWanted),
    "parse every line": () => scan(path, (line) => void JSON.parse(decoder.decode(line))),
    ...tools.jq,
  });
  const scanned = times.get("scan: split and classify") ?? [];
  const speed = (name: string): string =>
    `${short(bytes / 1e3 / median(times.get(name) ?? []))} MB/s`;
  const goals: Record<string, number> = { "wc -l": 0.4, "jq -c .": 20 };
  const others = [...times.keys()].filter((name) => !name.startsWith("scan: split"));
  console.log(`${short(bytes / 1e6)} MB, ${lines} lines; ${speed("scan: split and classify")}\n`);
  report(others.map((name) =>
    figure({
      question: "speed of a scan over 200 MB, in units of the other's",
      name: /^(wc|jq)/.test(name) ? `\`${name}\`` : name,
      values: ratios(times.get(name) ?? [], scanned),
      better: "higher",
      note: `${speed("scan: split and classify")} to ${speed(name)}`,
      ...(goals[name] === undefined ? {} : { goal: goals[name] }),
    })
  ));
  console.log(`Memory above base while scanning: ${await scanMemory(path)} MiB.\n`);
}

async function benchConsumeAndFollow(sizes: number[]): Promise<void> {
  const threads = await Promise.all(sizes.map((size) => openThread(size)));
  const first = new Map<number, number>();
  for (const thread of threads) {
    const start = performance.now();
    await consumeOne(thread, 0);
    first.set(thread.size, performance.now() - start);
  }
  const consumed = await rounds(
    ROUNDS,
    Object.fromEntries(
      threads.map((thread) => [thread.size, (round: number) => consumeOne(thread, round + 1)]),
    ),
  );
  const followed = await rounds(
    ROUNDS,
    Object.fromEntries(threads.map((thread) => [thread.size, () => followTurn(thread.bench)])),
  );
  const base = String(sizes[0]);
  const compare = (question: string, times: typeof consumed, goal?: number) =>
    sizes.slice(1).map((size) => {
      const [theirs = [], ours = []] = [base, String(size)].map((key) => times.get(key));
      const words = { question, name: `${size} MB against ${base} MB`, ours, theirs };
      return ratio(goal === undefined ? words : { ...words, goal });
    });
  report(compare("consuming one call, by size of the session", consumed, 1.5));
  report(compare("following a turn of 50 kB, by size of the session", followed));
  const made = [...first].map(([size, ms]) => `${size} MB ${short(ms)} ms`).join(", ");
  console.log(`The first consume of a thread, which makes its index: ${made}.`);
}

function readOnly(path: string): void {
  const buffer = new Uint8Array(256 * 1024);
  using file = Deno.openSync(path);
  while (file.readSync(buffer) !== null);
}

function scan(path: string, use: (line: Uint8Array) => void): void {
  using file = Deno.openSync(path);
  for (const line of scanLines(file)) {
    if (kindOf(line.bytes) === "unsure") throw new Error("the generator writes unusual heads");
    use(line.bytes);
  }
}

function decodeWanted(line: Uint8Array): void {
  const kind = kindOf(line);
  if (kind === "call" || kind === "compacted") decodeRecord(line);
}

async function availableTools(path: string) {
  const run = (command: string, args: string[]) => async (): Promise<boolean> => {
    const options = { args, stdout: "null", stderr: "null" } as const;
    return await new Deno.Command(command, options).output().then((o) => o.success, () => false);
  };
  const jq = {
    "jq -c .type": run("jq", ["-c", ".type", path]),
    "jq -c .": run("jq", ["-c", ".", path]),
  };
  return { wc: run("wc", ["-l", path]), jq: await run("jq", ["--version"])() ? jq : {} };
}

/** In a process of its own, because this one has its heap full of the generator. */
async function scanMemory(path: string): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", new URL(import.meta.url).pathname, "--memory", path],
  }).output();
  return decoder.decode(stdout).trim();
}

function memoryOfScan(path: string): void {
  const base = Deno.memoryUsage().rss;
  let most = base;
  let lines = 0;
  scan(path, (line) => {
    decodeWanted(line);
    if (lines++ % 1000 === 0) most = Math.max(most, Deno.memoryUsage().rss);
  });
  console.log(short((most - base) / 2 ** 20));
}

interface BenchThread {
  size: number;
  bench: BenchSession;
  session: Session;
}

async function openThread(size: number): Promise<BenchThread> {
  const codexHome = `${root}/${size}`;
  const bench = writeSession(codexHome, size);
  const store = new StateStore(`${codexHome}/state`);
  const { threadId, path: rolloutPath } = bench;
  await store.save("cx", "/workspace", {
    threadId,
    rolloutPath,
    endOffset: 0,
    usageTotal: ZERO_USAGE,
  });
  return { size, bench, session: { store, codexHome, agentId: "cx", workspace: "/workspace" } };
}

/** Another call each time, from all over the file. */
async function consumeOne({ bench, session }: BenchThread, round: number): Promise<void> {
  const blockId = bench.calls[Math.floor(round / (ROUNDS + 2) * bench.calls.length)] ?? "";
  const { touched } = await mutate(session, [{ blockId, op: "consume-light" }], { busy: false });
  if (touched !== 1) throw new Error(`call ${blockId} was not consumed`);
}

/** A turn's worth of lines is appended in ten pieces, each read as it comes. */
async function followTurn({ path, threadId }: BenchSession): Promise<void> {
  const codexHome = path.slice(0, path.indexOf("/sessions/"));
  const from = Deno.statSync(path).size;
  using follower = new Follower({ codexHome, threadId, located: path, from });
  using file = Deno.openSync(path, { append: true });
  const payload = { type: "function_call_output", call_id: "call_turn", output: "x".repeat(5000) };
  const timestamp = "2026-11-22T12:28:35.745Z";
  const line = JSON.stringify({ timestamp, ordinal: 1, type: "response_item", payload }) + "\n";
  for (let i = 0; i < 10; i++) {
    file.writeSync(new TextEncoder().encode(line));
    if ((await Array.fromAsync(follower.drain())).length !== 1) {
      throw new Error("the line was not followed");
    }
  }
  await Array.fromAsync(follower.finish());
}
