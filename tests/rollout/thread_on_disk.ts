/**
 * A thread with a rollout of its own making, a state directory, and the session that ties them together.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import type { Session } from "../../rollout/consume/consume.ts";
import type { Disk } from "../../base/durable.ts";
import { StateStore } from "../../rollout/state/state.ts";
import { FaultyDisk } from "./faulty_disk.ts";
import { CodexHome } from "./rollouts.ts";

export const THREAD = "01a20339-004c-7780-ad3c-b93c735b49cf";

type Json = Record<string, unknown>;

/** Lines as codex 0.169 writes them. */
export const line = {
  meta: (cwd = "/workspace"): Json => ({ type: "session_meta", payload: { id: THREAD, cwd } }),
  call: (id: string, args: string): Json => ({
    type: "response_item",
    payload: { type: "function_call", name: "exec_command", arguments: args, call_id: id },
  }),
  output: (id: string, output: unknown): Json => ({
    type: "response_item",
    payload: { type: "function_call_output", id: `fco_${id}`, call_id: id, output },
  }),
  script: (id: string, input: string): Json => ({
    type: "response_item",
    payload: { type: "custom_tool_call", call_id: id, name: "exec", input },
  }),
  scriptOutput: (id: string, output: unknown): Json => ({
    type: "response_item",
    payload: { type: "custom_tool_call_output", call_id: id, output },
  }),
  message: (text: string): Json => ({
    type: "response_item",
    payload: { type: "message", role: "user", content: [{ type: "input_text", text }] },
  }),
  compacted: (...items: Json[]): Json => ({
    type: "compacted",
    payload: { message: "summary", replacement_history: items.map((item) => item.payload) },
  }),
};

/** The bytes of a rollout with these lines. */
export function rolloutOf(lines: Json[]): Uint8Array {
  const text = lines.map((each, ordinal) =>
    JSON.stringify({ timestamp: "2026-11-22T12:28:35.745Z", ordinal, ...each }) + "\n"
  );
  return new TextEncoder().encode(text.join(""));
}

/** A codex home with that rollout, and a plugin that remembers its thread. */
export class ThreadOnDisk {
  readonly home = new CodexHome();
  readonly path: string;
  readonly stateDir: string;
  readonly warnings: string[] = [];

  private constructor() {
    this.path = this.home.path(THREAD);
    this.stateDir = join(this.home.dir, "state");
  }

  static async create(lines: Json[]): Promise<ThreadOnDisk> {
    const thread = new ThreadOnDisk();
    Deno.writeFileSync(thread.path, rolloutOf(lines));
    const { store } = thread.session(new FaultyDisk()); // no fsync: it is not what is tested
    const usageTotal = {
      inputTokens: 0,
      cachedInputTokens: 0,
      outputTokens: 0,
      reasoningOutputTokens: 0,
    };
    await store.save("cx", "/workspace", {
      threadId: THREAD,
      rolloutPath: thread.path,
      endOffset: 0,
      usageTotal,
    });
    return thread;
  }

  /** What a plugin that starts now works with. */
  session(disk?: Disk): Session {
    const onWarning = (message: string): void => void this.warnings.push(message);
    const store = new StateStore(this.stateDir, { onWarning, ...(disk ? { disk } : {}) });
    return { store, codexHome: this.home.dir, agentId: "cx", workspace: "/workspace" };
  }

  get bytes(): Uint8Array {
    return Deno.readFileSync(this.path);
  }

  set bytes(bytes: Uint8Array) {
    Deno.writeFileSync(this.path, bytes);
  }

  /** The lines, parsed; fails where one does not parse. */
  get records(): Json[] {
    const lines = new TextDecoder().decode(this.bytes).split("\n");
    assert.equal(lines.pop(), "", "the file ends with a newline");
    return lines.map((text) => JSON.parse(text));
  }

  /** Output, arguments or input of each response item that has one, oldest first. */
  get held(): unknown[] {
    const heldBy = (payload: Json): unknown[] =>
      ["output", "arguments", "input"].flatMap((key) => key in payload ? [payload[key]] : []);
    return this.records.flatMap(({ payload }) => {
      const { replacement_history: history } = payload as { replacement_history?: Json[] };
      return history === undefined ? heldBy(payload as Json) : history.flatMap(heldBy);
    });
  }

  /** Names of the thread's own files in the state directory. */
  get files(): string[] {
    return [...Deno.readDirSync(this.stateDir)].map(({ name }) => name)
      .filter((name) => name.startsWith(THREAD) && !name.endsWith(".calls"))
      .map((name) => name.slice(THREAD.length + 1)).sort();
  }

  /** codex's lock directory, as 0.148 and later make it. */
  makeLocks(): string {
    const directory = join(this.home.dir, "thread-writer-locks");
    Deno.mkdirSync(directory);
    Deno.writeTextFileSync(join(directory, ".coordination.lock"), "");
    return join(directory, `${THREAD}.lock`);
  }

  [Symbol.dispose](): void {
    this.home[Symbol.dispose]();
  }
}
