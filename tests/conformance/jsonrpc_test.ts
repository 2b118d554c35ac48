/** JSON-RPC 2.0 at the compiled plugin: every row of the table, one after the other. */
import { strict as assert } from "node:assert";
import { executable } from "../support/checkout.ts";
import { within } from "../support/deadline.ts";
import { PluginProcess } from "../support/plugin_process.ts";
import { openSandbox } from "../support/sandbox.ts";
import { type Answer, ROWS } from "./jsonrpc_rows.ts";

/** A connection that gives what comes back, frame by frame, whatever it is. */
class Line implements AsyncDisposable {
  readonly #process: PluginProcess;
  readonly #frames: Record<string, unknown>[] = [];
  #wake = () => {};

  constructor(command: string, args: string[], env: Record<string, string>) {
    const onLine = (bytes: Uint8Array) => {
      const frame: Record<string, unknown> = JSON.parse(new TextDecoder().decode(bytes));
      if (frame["method"] !== "notifications/message") this.#frames.push(frame);
      this.#wake();
    };
    this.#process = new PluginProcess({ command, args, env, onLine });
  }

  async send(line: string | Uint8Array): Promise<void> {
    await this.#process.write(typeof line === "string" ? new TextEncoder().encode(line) : line);
    await this.#process.write(new TextEncoder().encode("\n"));
  }

  /** Takes out the next frame that fits; waits for it. */
  async take(what: string, fits: (frame: Record<string, unknown>) => boolean): Promise<unknown> {
    const search = async () => {
      for (;;) {
        const at = this.#frames.findIndex(fits);
        if (at >= 0) return this.#frames.splice(at, 1)[0];
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    };
    return await within(search(), what, () => JSON.stringify(this.#frames) + this.#process.stderr);
  }

  /** Everything that came and was not taken. */
  get left(): unknown[] {
    return this.#frames.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.closeStdin();
    assert.deepEqual(await this.#process.exit, { code: 0, signal: null });
  }
}

/** A frame as the table has it. */
function answerIn(frame: unknown): Answer {
  const { jsonrpc, id, result, error } = frame as {
    jsonrpc?: unknown;
    id?: unknown;
    result?: unknown;
    error?: { code: number; message: unknown };
  };
  assert.equal(jsonrpc, "2.0");
  if (error === undefined) return { id, result };
  assert.ok(Number.isInteger(error.code) && typeof error.message === "string");
  return { id, code: error.code };
}

Deno.test("the plugin answers every kind of JSON-RPC line as the table says, and lives on", async () => {
  const { command, args } = await executable();
  await using sandbox = await openSandbox({ binary: "codex" });
  await using line = new Line(command, args, sandbox.env);
  await line.send('{"jsonrpc":"2.0","id":"start","method":"initialize","params":{}}');
  await line.take("initialize", ({ id }) => id === "start");
  for (const [index, [name, text, answer]] of ROWS.entries()) {
    await line.send(text);
    if (answer !== undefined) {
      const came = await line.take(name, ({ id }) => id !== `sync ${index - 1}`);
      assert.deepEqual(answerIn(came), answer, name);
    }
    await line.send(`{"jsonrpc":"2.0","id":"sync ${index}","method":"ping"}`);
    await line.take(`a ping after ${name}`, ({ id }) => id === `sync ${index}`);
    assert.deepEqual(line.left, [], `${name}: answered once, or not at all`);
  }
});
