/**
 * A program that plays a codex, for what the real one cannot be made to do: flood, hang, crash,
 * ignore signals, leave children behind. Started as `node fake_codex.mjs SCENARIO_DIR codex-args…`
 * by the little `codex` script that `fake_codex.ts` writes; what the scenario can say is typed there.
 */
import { spawn } from "node:child_process";
import { createServer, Socket } from "node:net";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import process from "node:process";

const [, , dir, ...args] = process.argv;
/** Our own, because `process.stdout` blocks on a full pipe. */
const stdout = new Socket({ fd: 1, readable: false, writable: true });
stdout.on("error", () => process.exit(101)); // nobody reads: so ends codex, too
/** The ordinal of the rollout's next line. */
let ordinal;
const scenario = JSON.parse(fs.readFileSync(join(dir, "scenario.json"), "utf8"));

async function exec() {
  const interrupted = scenario.onInterrupt ?? [{ exit: 1 }];
  if (interrupted !== "ignore") process.on("SIGINT", () => play(interrupted, turn));
  else process.on("SIGINT", () => mark("SIGINT"));
  if (scenario.ignoreTerm) process.on("SIGTERM", () => mark("SIGTERM"));

  const cwd = args.includes("-C") ? args[args.indexOf("-C") + 1] : process.cwd();
  const resumed = args.includes("resume") ? args.find(isUuid) : undefined;
  const turn = { cwd, thread: resumed ?? uuid7(), resumed: resumed !== undefined, prompt: "" };
  if (args.at(-1) === "-" && !scenario.deafToStdin) {
    for await (const chunk of process.stdin.setEncoding("utf8")) turn.prompt += chunk;
  }
  recordRun(turn);
  await play(scenario.byPrompt?.[turn.prompt] ?? scenario.acts, turn);
  process.exit(0);
}

/** The run as the test may want to see it: runs/1.json, runs/2.json, … in the order of their start. */
function recordRun(turn) {
  const runs = join(dir, "runs");
  fs.mkdirSync(runs, { recursive: true });
  const earlier = fs.readdirSync(runs).filter((name) => name.endsWith(".json")).length;
  const whole = join(runs, `${process.pid}.part`);
  fs.writeFileSync(whole, JSON.stringify({ pid: process.pid, args, env: process.env, ...turn }));
  for (let n = earlier + 1, taken = true; taken; n += 1) {
    try {
      fs.linkSync(whole, join(runs, `${n}.json`));
      taken = false;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
  }
  fs.unlinkSync(whole);
}

async function play(acts, turn) {
  for (const act of acts) await playOne(act, turn);
}

async function playOne(act, turn) {
  const [kind] = Object.keys(act);
  const value = act[kind];
  switch (kind) {
    case "print":
      return await write(line(value, turn));
    case "flood":
      return await flood(value, turn);
    case "stderr":
      return void fs.writeSync(2, value);
    case "rollout":
      return record(value, turn);
    case "waitFor":
      return await appearance(join(dir, "triggers", value));
    case "mark":
      return mark(value);
    case "relays":
      return await relays(value);
    case "child":
      return await child(value);
    case "closeStdout":
      stdout.destroy();
      return fs.closeSync(1); // Node never closes the standard descriptors by itself
    case "exit":
      return process.exit(value);
    case "kill":
      process.kill(process.pid, value);
      return await never();
    case "hang":
      return await never();
    default:
      throw new Error(`fake codex: unknown act ${JSON.stringify(act)}`);
  }
}

/** A JSON line with $THREAD, $CWD and $PROMPT filled in; a string is printed as it stands. */
function line(value, turn) {
  if (typeof value === "string") return value;
  const filled = { $THREAD: turn.thread, $CWD: turn.cwd, $PROMPT: turn.prompt };
  const text = JSON.stringify(value).replace(
    /\$(THREAD|CWD|PROMPT)/g,
    (name) => JSON.stringify(filled[name]).slice(1, -1),
  );
  return text + "\n";
}

/** `count` lines; $N is the number of the line, $PAD as many `x` as `padBytes` says. */
async function flood({ count, padBytes = 0, print }, turn) {
  const template = line(print, turn).replaceAll("$PAD", "x".repeat(padBytes));
  let batch = "";
  for (let n = 0; n < count; n += 1) {
    batch += template.replaceAll("$N", String(n));
    if (batch.length > 256 * 1024 || n === count - 1) {
      await write(batch);
      batch = "";
    }
  }
}

/** Resolves when the pipe took it. Nothing here blocks: a signal must be handled meanwhile. */
function write(text) {
  return new Promise((resolve) => stdout.write(text, () => resolve()));
}

/** Appends to the thread's rollout; a new thread's file begins with its session_meta. */
function record(lines, turn) {
  const path = rolloutPath(turn);
  const known = fs.existsSync(path);
  const before = known && ordinal === undefined ? fs.readFileSync(path, "utf8") : "";
  ordinal ??= before.split("\n").length - 1;
  const id = turn.thread;
  const meta = {
    id,
    cwd: turn.cwd,
    originator: "codex_exec",
    cli_version: scenario.version ?? "0.169.0",
  };
  const all = known ? lines : [{ type: "session_meta", payload: meta }, ...lines];
  const text = all.map((entry) =>
    line(
      typeof entry === "string"
        ? entry
        : { timestamp: new Date().toISOString(), ordinal: ordinal++, ...entry },
      turn,
    )
  ).join("");
  // As codex does behind a line that a killed one left torn.
  const torn = before !== "" && !before.endsWith("\n");
  fs.appendFileSync(path, torn ? `\n${text}` : text);
}

function rolloutPath(turn) {
  const sessions = join(process.env.CODEX_HOME ?? join(process.env.HOME, ".codex"), "sessions");
  fs.mkdirSync(sessions, { recursive: true });
  const all = fs.readdirSync(sessions, { recursive: true }).map(String);
  const found = all.find((name) => name.endsWith(`${turn.thread}.jsonl`));
  if (found) return join(sessions, found);
  const now = new Date();
  const two = (value) => String(value).padStart(2, "0");
  const day = [String(now.getFullYear()), two(now.getMonth() + 1), two(now.getDate())];
  const time = [two(now.getHours()), two(now.getMinutes()), two(now.getSeconds())];
  fs.mkdirSync(join(sessions, ...day), { recursive: true });
  return join(sessions, ...day, `rollout-${day.join("-")}T${time.join("-")}-${turn.thread}.jsonl`);
}

/** A process that outlives what it can; it leaves its pid in marks/NAME. */
async function child(
  { name, escape = "group", ignore = [], clean = false, holdStdout = false, run },
) {
  fs.mkdirSync(join(dir, "marks"), { recursive: true });
  const place = join(dir, "marks", name);
  const trap = ignore.length > 0
    ? `trap "" ${ignore.map((s) => s.replace("SIG", "")).join(" ")}; `
    : "";
  const sleeper = `${trap}echo $$ > "${place}.part"; mv "${place}.part" "${place}"; ${
    run ?? "exec sleep 1000000"
  }`;
  const script = escape === "orphan" ? `( ( ${shell(sleeper)} ) & ) & exit 0` : sleeper;
  const command = spawn("/bin/sh", ["-c", script], {
    stdio: ["ignore", holdStdout || run ? 1 : "ignore", "ignore"],
    detached: escape !== "group",
    ...(clean ? { env: { PATH: process.env.PATH }, cwd: "/" } : {}),
  });
  command.unref();
  await appearance(place);
}

/** Starts the program for whoever connects to the socket, as a child of ours, and joins the two. */
async function relays({ socket, command, args }) {
  const server = createServer((client) => {
    const relay = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    client.pipe(relay.stdin).on("error", () => client.destroy());
    relay.stdout.pipe(client).on("error", () => relay.kill());
    client.on("error", () => relay.kill());
  });
  server.unref();
  await new Promise((resolve) => server.listen(socket, resolve));
}

/** A shell of its own for the script, so that $$ is that shell's pid. */
function shell(script) {
  return `exec setsid /bin/sh -c '${script}'`;
}

function mark(name) {
  fs.mkdirSync(join(dir, "marks"), { recursive: true });
  fs.writeFileSync(join(dir, "marks", `${name}.part`), `${process.pid}\n`);
  fs.renameSync(join(dir, "marks", `${name}.part`), join(dir, "marks", name));
}

/** Resolves when the file exists: watched first, then looked at, so that nothing is missed. */
function appearance(path) {
  const folder = join(path, "..");
  fs.mkdirSync(folder, { recursive: true });
  return new Promise((resolve) => {
    const look = () => {
      if (!fs.existsSync(path)) return;
      watcher.close();
      resolve();
    };
    const watcher = fs.watch(folder, look);
    look();
  });
}

function never() {
  return new Promise(() => setInterval(() => {}, 1_000_000));
}

function isUuid(text) {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/** Like codex's thread ids: the first 48 bits are the time. */
function uuid7() {
  const hex = Date.now().toString(16).padStart(12, "0") + randomBytes(10).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${
    hex.slice(20, 32)
  }`;
}

if (scenario.hangOn?.includes(args[0])) {
  mark(`hung on ${args[0]}`);
  await never();
} else if (args[0] === "--version") {
  stdout.end(`codex-cli ${scenario.version ?? "0.169.0"}\n`);
} else if (args[0] === "login" && args[1] === "status") {
  fs.writeSync(2, scenario.loggedIn ? "Logged in using an API key - sk-***\n" : "Not logged in\n");
  process.exitCode = scenario.loggedIn ? 0 : 1;
} else if (args[0] === "exec") {
  await exec();
} else {
  fs.writeSync(2, `error: unrecognized subcommand '${args[0]}'\n`);
  process.exitCode = 2;
}
