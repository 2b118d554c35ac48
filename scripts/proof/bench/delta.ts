/**
 * From the model's first byte to the first piece of text in the host, by a codex that stays: what the
 * plugin adds to reading codex oneself. Both are read by this program, which is the model as well, so
 * one clock times all of it.
 *
 *     deno run -A scripts/proof/bench/delta.ts [PAIRS]
 */
import { BarePlugin } from "../../../tests/support/bare_plugin.ts";
import { codexBinary, NEWEST_CODEX } from "../../../tests/support/codex.ts";
import { openSandbox } from "../../../tests/support/sandbox.ts";
import { figure, report } from "./figures/figure.ts";
import { quantile } from "../series.ts";
import { lines } from "./turn/contender.ts";

const PAIRS = Number(Deno.args[0] ?? 101);

/** A codex that stays, as the smallest program reads it. */
class SmallestClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;
  #id = 0;

  constructor(codex: string, env: Record<string, string>) {
    const piped = { stdin: "piped", stdout: "piped", stderr: "null" } as const;
    this.#child = new Deno.Command(codex, { args: ["app-server"], env, clearEnv: true, ...piped })
      .spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = lines(this.#child.stdout);
  }

  async ask(method: string, params: unknown): Promise<{ thread?: { id: string } }> {
    const id = ++this.#id;
    const bytes = new TextEncoder().encode(JSON.stringify({ id, method, params }) + "\n");
    await this.#writer.write(bytes);
    return (await this.#until((message) => message.id === id)).result ?? {};
  }

  async notified(method: string): Promise<void> {
    await this.#until((message) => message.method === method);
  }

  async #until(wanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const { value } = await this.#lines.next();
      if (value === undefined) throw new Error("codex app-server ended");
      const message = JSON.parse(value) as Message;
      if (wanted(message)) return message;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    for await (const _ of this.#lines);
    await this.#child.status;
  }
}

interface Message {
  id?: number;
  method?: string;
  result?: { thread?: { id: string } };
}

let answered = NaN;
const fallback = () => {
  answered = performance.now();
  return { text: "ok" };
};
const binary = (await codexBinary(NEWEST_CODEX)).native;
const config = { transport: "app-server", warm: { spare: false } };
await using ours = await openSandbox({ binary, fallback, config });
await using theirs = await openSandbox({ binary, fallback });

await using host = await BarePlugin.start(ours.env);
await using client = new SmallestClient(binary, theirs.env);
await client.ask("initialize", { clientInfo: { name: "bench", version: "1" } });
const started = { cwd: theirs.workspace, approvalPolicy: "never", sandbox: "read-only" };
const threadId = (await client.ask("thread/start", started)).thread?.id;
const input = [{ type: "text", text: "Say ok.", text_elements: [] }];

const times = { ours: [] as number[], theirs: [] as number[] };
for (let n = 0; n <= PAIRS; n++) {
  await host.ask(n + 1, ours.workspace, "Say ok.");
  await host.event("text_delta");
  const one = performance.now() - answered;
  await host.event("message_end");
  await client.ask("turn/start", { threadId, input, sandboxPolicy: { type: "workspaceWrite" } });
  await client.notified("item/agentMessage/delta");
  const other = performance.now() - answered;
  await client.notified("turn/completed");
  if (n === 0) continue; // not counted
  times.ours.push(one);
  times.theirs.push(other);
}
const question =
  "from the model's first byte to the first piece of text, added to the smallest client";
const added = times.ours.map((ms, index) => ms - (times.theirs[index] ?? NaN));
const p99 = quantile(times.ours, 0.99) - quantile(times.theirs, 0.99);
report([
  figure({ question, name: "p50", values: added, goal: 1, unit: "ms" }),
  figure({ question, name: "p99", values: [p99], goal: 5, unit: "ms" }),
]);
