/**
 * An app-server that does what the real one cannot be made to do. Started as `codex` by a shell script
 * with its folder as the first argument; plays `<folder>/scenario.json` for each turn:
 *   atLoad: notifications before a load is answered · answers: {method: result}
 *   silent: methods that get no answer · refuse: {method: message} · exitOn: method at which it dies
 *   acts: [{notify, params} | {raw} | {ask} | {flood, notify, params} | {exit} | {hang}]
 *   deaf: an interrupt is answered and not obeyed, of any turn or of those named · ignoreEnd: stdin's end
 *   is not heard · atInterrupt: {turn: acts} before that turn obeys, the turn itself being `main`
 * `$THREAD` and `$TURN` are filled in. Every request is written to `<folder>/asked.jsonl`.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import process from "node:process";
import { randomUUID } from "node:crypto";

const [dir, ...args] = process.argv.slice(2);
const scenario = JSON.parse(readFileSync(`${dir}/scenario.json`, "utf8"));
if (args[0] === "--version") {
  console.log(`codex-cli ${scenario.version ?? "0.171.0"}`);
  process.exit(0);
}
if (args[0] !== "app-server") {
  console.error(`Error: this codex only serves: ${args.join(" ")}`);
  process.exit(1);
}
process.stderr.write("fake app-server is here\n");

let thread = "";
let turn = "";
const write = (text) => new Promise((resolve) => process.stdout.write(text, resolve));
const filled = (value) =>
  JSON.stringify(value).replaceAll("$THREAD", thread).replaceAll("$TURN", turn);
const send = (value) => write(`${filled(value)}\n`);
const complete = (status, threadId = "$THREAD", id = "$TURN") =>
  send({
    method: "turn/completed",
    params: { threadId, turn: { id, status, error: null, items: [] } },
  });

async function interrupt({ threadId, turnId }) {
  const { deaf, atInterrupt = {} } = scenario;
  for (const act of atInterrupt[turnId === turn ? "main" : turnId] ?? []) {
    await send({ method: act.notify, params: act.params });
  }
  if (deaf !== true && !deaf?.includes(turnId)) await complete("interrupted", threadId, turnId);
}

async function play() {
  await send({ method: "turn/started", params: { threadId: "$THREAD", turn: { id: "$TURN" } } });
  for (const act of scenario.acts ?? []) {
    if (act.raw !== undefined) await write(act.raw);
    if (act.ask) await send({ id: act.id ?? "q1", method: act.ask, params: {} });
    for (let n = 0; n < (act.flood ?? 1); n++) {
      if (act.notify) await send({ method: act.notify, params: act.params });
    }
    if (act.stderr) await new Promise((resolve) => process.stderr.write(act.stderr, resolve));
    if (act.exit !== undefined) process.exit(act.exit);
    if (act.hang) return;
  }
  await complete("completed");
}

const answers = {
  initialize: () => ({ userAgent: "fake", codexHome: "/", platformFamily: "unix" }),
  "config/read": () => ({ config: {} }),
  "thread/start": () => ({ thread: { id: thread = randomUUID() } }),
  "thread/resume": ({ threadId }) => ({ thread: { id: thread = threadId } }),
  "thread/unsubscribe": () => ({ status: "unsubscribed" }),
  "thread/backgroundTerminals/clean": () => ({}),
  "turn/start": () => ({ turn: { id: turn = randomUUID() } }),
  "turn/interrupt": () => ({}),
};

async function take(line) {
  appendFileSync(`${dir}/asked.jsonl`, `${line}\n`);
  const { id, method, params } = JSON.parse(line);
  if (method === undefined || id === undefined) return;
  if (scenario.exitOn === method) process.exit(7);
  if (scenario.silent?.includes(method)) return;
  const message = scenario.refuse?.[method];
  if (message !== undefined) return await send({ id, error: { code: -32600, message } });
  if (method.startsWith("thread/")) {
    for (const act of scenario.atLoad ?? []) await send({ method: act.notify, params: act.params });
  }
  const given = scenario.answers?.[method];
  const answer = given === undefined ? answers[method] : () => given;
  if (answer === undefined) {
    return await send({ id, error: { code: -32600, message: `unknown ${method}` } });
  }
  await send({ id, result: answer(params) });
  if (method === "turn/start") void play();
  if (method === "turn/interrupt") await interrupt(params);
  if (method === "thread/unsubscribe") {
    await send({ method: "thread/closed", params: { threadId: "$THREAD" } });
  }
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => void take(line));
lines.on("close", () => scenario.ignoreEnd ? setInterval(() => {}, 1e6) : process.exit(0));
