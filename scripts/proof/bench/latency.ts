/**
 * From a line of codex's to the event in the host: what the plugin adds to reading the pipe oneself.
 *
 * The same line goes to a codex below the plugin and to one that this program reads itself, in turn;
 * both print what we write (`PipeCodex`). The difference is the plugin's. A pause before
 * each line lets everybody fall asleep, as between the lines of a real codex.
 *
 *     deno run -A scripts/proof/bench/latency.ts [TURNS]
 */
import { pause } from "../../../base/timer.ts";
import { BarePlugin } from "../../../tests/support/bare_plugin.ts";
import { openSandbox, type Sandbox } from "../../../tests/support/sandbox.ts";
import { quantile } from "../series.ts";
import { figure, report } from "./figures/figure.ts";
import { lines } from "./turn/contender.ts";
import { join } from "@std/path";

const TURNS = Number(Deno.args[0] ?? 20);
const LINES = 100;
const PAUSE_MS = 2;
const TEXT = "A sentence as a model says it, about as long as most of them are. ".repeat(3);

const encoder = new TextEncoder();

/** The program. */
const PIPE_CODEX = `#!/bin/sh
[ "$1" = --version ] && { echo codex-cli 0.169.0; exit; }
exec cat "$CODEX_HOME/lines"
`;

/** The pipe of one codex home. */
class PipeCodex {
  readonly #home: string;
  #pipe: Deno.FsFile | undefined;
  #thread = "";

  /** Makes the pipe in `codexHome`. */
  constructor(codexHome: string) {
    this.#home = codexHome;
    const { success } = new Deno.Command("mkfifo", { args: [this.#path] }).outputSync();
    if (!success) throw new Error(`mkfifo ${this.#path} failed`);
  }

  get #path(): string {
    return join(this.#home, "lines");
  }

  /** Begins a turn of a new thread, as soon as somebody has started the program. */
  async begin(): Promise<void> {
    this.#thread = uuid7();
    const now = new Date();
    const two = (value: number): string => String(value).padStart(2, "0");
    const day = [`${now.getFullYear()}`, two(now.getMonth() + 1), two(now.getDate())];
    const folder = join(this.#home, "sessions", ...day);
    Deno.mkdirSync(folder, { recursive: true });
    const meta = { id: this.#thread, cwd: "/", cli_version: "0.169.0" };
    const head = { timestamp: now.toISOString(), ordinal: 0, type: "session_meta", payload: meta };
    const name = `rollout-${day.join("-")}T00-00-00-${this.#thread}.jsonl`;
    Deno.writeTextFileSync(join(folder, name), JSON.stringify(head) + "\n");
    this.#pipe = await Deno.open(this.#path, { write: true });
    this.print({ type: "thread.started", thread_id: this.#thread });
    this.print({ type: "turn.started" });
  }

  /** A message of the model. */
  say(text: string, n: number): void {
    this.print({ type: "item.completed", item: { id: `item_${n}`, type: "agent_message", text } });
  }

  /** The last line, and the end of the process. */
  end(): void {
    const usage = { input_tokens: 1, cached_input_tokens: 0, output_tokens: 1 };
    this.print({ type: "turn.completed", usage });
    this.#pipe?.close();
    this.#pipe = undefined;
  }

  /** One line. */
  print(event: Record<string, unknown>): void {
    this.#pipe?.writeSync(encoder.encode(JSON.stringify(event) + "\n"));
  }
}

/** A thread id like codex's: it begins with the time. */
function uuid7(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const rest = crypto.randomUUID().slice(15);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest}`;
}

/** How to read a codex: a turn, line by line. */
interface Reader {
  codex: PipeCodex;
  /** Asks for a turn; codex is started. */
  ask(turn: number): Promise<void> | void;
  /** Resolves when the line with a message has arrived. */
  message(): Promise<unknown>;
  /** Resolves when the turn has ended. */
  ended(): Promise<unknown>;
}

async function timed(write: () => void, read: () => Promise<unknown>): Promise<number> {
  await pause(PAUSE_MS);
  const started = performance.now();
  const arrived = read();
  write();
  await arrived;
  return performance.now() - started;
}

function throughPlugin(host: BarePlugin, sandbox: Sandbox): Reader {
  return {
    codex: new PipeCodex(sandbox.codexHome),
    ask: async (turn) => host.ask(turn, await sandbox.newWorkspace(`w${turn}`), "Say it."),
    message: () => host.event("text_delta"),
    ended: () => host.event("message_end"),
  };
}

function bare({ codexHome, binary, env }: Sandbox): Reader {
  let child: Deno.ChildProcess;
  let printed: AsyncGenerator<string>;
  const until = async (type: string): Promise<void> => {
    for (;;) {
      const { value } = await printed.next();
      if (value === undefined) throw new Error(`no ${type}`);
      if ((JSON.parse(value) as { type: string }).type === type) return;
    }
  };
  return {
    codex: new PipeCodex(codexHome),
    ask: () => {
      child = new Deno.Command(binary, { env, stdin: "null", stdout: "piped" }).spawn();
      printed = lines(child.stdout);
    },
    message: () => until("item.completed"),
    ended: async () => {
      await until("turn.completed");
      while (!(await printed.next()).done);
      await child.status;
    },
  };
}

await using ours = await openSandbox({ binary: { program: PIPE_CODEX } });
await using theirs = await openSandbox({ binary: { program: PIPE_CODEX } });
await using host = await BarePlugin.start(ours.env);
const readers = [throughPlugin(host, ours), bare(theirs)] as const;
const added: number[] = [];
const addedP99: number[] = [];
const addedEnd: number[] = [];
for (let turn = 0; turn <= TURNS; turn++) {
  const times = readers.map(() => [] as number[]);
  for (const { ask, codex } of readers) {
    await ask(turn + 1);
    await codex.begin();
  }
  for (let n = 0; n < LINES; n++) {
    for (const [index, { codex, message }] of readers.entries()) {
      times[index]?.push(await timed(() => codex.say(`${n} ${TEXT}`, n), message));
    }
  }
  const ends: number[] = [];
  for (const { codex, ended } of readers) ends.push(await timed(() => codex.end(), ended));
  const [ours = [], theirs = []] = times;
  if (turn === 0) continue; // not counted
  added.push(...ours.map((ms, index) => ms - (theirs[index] ?? NaN)));
  addedP99.push(quantile(ours, 0.99) - quantile(theirs, 0.99));
  addedEnd.push((ends[0] ?? NaN) - (ends[1] ?? NaN));
}
const question = "from codex's line to the host's event, added to reading the pipe";
report([
  figure({ question, name: "a message, p50", values: added, goal: 1, unit: "ms" }),
  figure({ question, name: "a message, p99", values: addedP99, goal: 5, unit: "ms" }),
  figure({
    question,
    name: "`turn.completed` and exit to `message_end`",
    values: addedEnd,
    unit: "ms",
  }),
]);
