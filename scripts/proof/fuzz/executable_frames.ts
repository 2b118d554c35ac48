/**
 * The compiled plugin over its pipes: a host's frames, and turns of a codex that prints the bytes of
 * the case. One process lives through all cases, as a plugin does.
 *
 * A case of which the first line is `codex` is what codex prints; any other is what a host sends.
 */
import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { dirname, isAbsolute, join } from "@std/path";
import { executable } from "../../../tests/support/checkout.ts";
import { within } from "../../../tests/support/deadline.ts";
import { PluginProcess } from "../../../tests/support/plugin_process.ts";
import { openSandbox, type Sandbox } from "../../../tests/support/sandbox.ts";
import { isObject } from "../../../tests/support/wire.ts";
import { Answers, expectedOf } from "./conversation.ts";
import { execLine } from "./codex_text.ts";
import { hostFrame, withRoot } from "./host_frames.ts";
import { captured, lines, mutated } from "./mutation.ts";
import { bytesOf, type Runner, type Target } from "./target.ts";

const THREAD = "01a20339-004c-7780-ad3c-b93c735b49cf";
const LATE = 10;
const CODEX_MARK = bytesOf("codex\n");
const printed = mutated(fc.oneof(lines(execLine), captured("stdout.jsonl")))
  .map((bytes) => new Uint8Array([...CODEX_MARK, ...bytes]));

/** The executable on its own. */
export const executableFrames: Target = {
  cases: fc.oneof(mutated(lines(hostFrame, 6)), printed),
  async open(): Promise<Runner> {
    const plugin = await FuzzedPlugin.start();
    return { run: (bytes) => plugin.run(bytes), close: () => plugin.end() };
  },
};

/** Announces the thread that was asked for, then prints the case. */
const CODEX = `#!/bin/sh
[ "$1" = --version ] && { echo codex-cli 0.169.0; exit; }
cat > /dev/null
echo '{"type":"thread.started","thread_id":"${THREAD}"}'
exec cat "$CODEX_HOME/printed"
`;

class FuzzedPlugin {
  readonly #sandbox: Sandbox;
  readonly #process: PluginProcess;
  readonly #late = new Set<string>();
  #probe = 0;
  #onLine: (line: string) => void = () => {};

  private constructor(sandbox: Sandbox, program: { command: string; args: string[] }) {
    this.#sandbox = sandbox;
    this.#process = new PluginProcess({
      ...program,
      env: sandbox.env,
      onLine: (bytes) => this.#onLine(new TextDecoder("utf-8", { fatal: true }).decode(bytes)),
    });
  }

  static async start(): Promise<FuzzedPlugin> {
    const timeouts = { start_ms: 20_000, silence_ms: 20_000, grace_ms: 1000 };
    const sandbox = await openSandbox({ binary: { program: CODEX }, config: { timeouts } });
    Deno.writeTextFileSync(join(sandbox.root, "file"), "");
    const plugin = new FuzzedPlugin(sandbox, await executable());
    await plugin.#converse(bytesOf('{"jsonrpc":"2.0","id":"hello","method":"initialize"}\n'));
    return plugin;
  }

  async run(bytes: Uint8Array): Promise<void> {
    if (CODEX_MARK.every((byte, i) => bytes[i] === byte)) await this.#turn(bytes.subarray(6));
    else {
      const { root } = this.#sandbox;
      await this.#converse(harmless(withRoot(bytes, root), root));
    }
  }

  async end(): Promise<void> {
    await using _sandbox = this.#sandbox;
    await this.#process.closeStdin();
    const { code, signal } = await within(this.#process.exit, "the plugin's end");
    assert.deepEqual([code, signal], [0, null], this.#process.stderr);
  }

  async #turn(printed: Uint8Array): Promise<void> {
    Deno.writeFileSync(join(this.#sandbox.codexHome, "printed"), printed);
    const params = {
      agent: { agent_id: "cx", workspace: this.#sandbox.workspace },
      request: { messages: [{ role: "user", content: "go" }] },
    };
    const frame = { jsonrpc: "2.0", id: "turn", method: "plexum/provider/stream", params };
    const sent = bytesOf(JSON.stringify(frame) + "\n");
    // What codex prints is told to the host: it counts as asked for.
    await this.#converse(sent, printed.length * 16);
  }

  /** Sends the bytes and a question of our own; when all of it is answered, the case is over. */
  async #converse(sent: Uint8Array, more = 0): Promise<void> {
    const probe = `probe ${this.#probe++}`;
    const ping = bytesOf(`\n${JSON.stringify({ jsonrpc: "2.0", id: probe, method: "ping" })}\n`);
    const whole = new Uint8Array([...sent, ...ping]);
    const expected = expectedOf(whole);
    expected.bytes += more;
    // What an earlier case asked and cancelled may be answered late.
    for (const key of this.#late) expected.named.set(key, (expected.named.get(key) ?? 0) + LATE);
    for (const key of expected.cancelled) if (expected.asked.has(key)) this.#late.add(key);
    const answers = new Answers(expected);
    const over = Promise.withResolvers<void>();
    this.#onLine = (line) => {
      try {
        answers.take(line);
        if (answers.missing.length === 0) over.resolve();
      } catch (error) {
        over.reject(error);
      }
    };
    const died = this.#process.exit.then(({ code, signal }) => {
      throw new Error(`the plugin ended: ${signal ?? code}\n${this.#process.stderr}`);
    });
    died.catch(() => {});
    await this.#process.write(whole);
    await within(
      Promise.race([over.promise, died]),
      "an answer to everything",
      () => probe,
      30_000,
    );
    answers.end();
  }
}

/** Without frames that would make the plugin create directories outside of its own. */
function harmless(bytes: Uint8Array, root: string): Uint8Array {
  const kept = new TextDecoder().decode(bytes).split("\n").filter((line) => {
    try {
      const frame: unknown = JSON.parse(line);
      const params = isObject(frame) && isObject(frame.params) ? frame.params : {};
      const agent = isObject(params.agent) ? params.agent : {};
      const workspace = agent.workspace ?? "";
      if (typeof workspace !== "string" || !isAbsolute(workspace)) return true;
      return `${workspace}/`.startsWith(`${root}/`) || dirname(workspace) === "/dev/null";
    } catch {
      return true;
    }
  });
  return bytesOf(kept.join("\n"));
}
