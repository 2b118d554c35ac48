/**
 * The lab: one profile, codex of one version, scripted model, workspace and host that has started the
 * compiled plugin, with shorthands for a turn. Tests, the matrix and the proofs work in it; `Sandbox`
 * is the same without a host, for what starts the plugin in its own way.
 */
import { strict as assert } from "node:assert";
import { METHOD, type MutateResult, type Tool } from "../../plugin/protocol.ts";
import type { ModelRequest } from "./model/request.ts";
import type { ScriptedStep } from "./model/step.ts";
import { type CodexBinary, codexBinary } from "./codex.ts";
import { type Host, startHost } from "./host.ts";
import type { Process } from "./processes.ts";
import { openSandbox, type Sandbox, type SandboxOptions } from "./sandbox.ts";
import type { EventOf, Turn } from "./turn.ts";

/** How the plugin runs codex, as its configuration names it. */
export type Transport = "exec" | "app-server";

/** What of a lab is different. */
export interface LabOptions extends Omit<SandboxOptions, "binary"> {
  /** `exec` when left out. */
  transport?: Transport;
}

/** What a turn may have beside its text. */
export interface Request {
  /** What the model does, request by request. */
  steps?: ScriptedStep[];
  tools?: Tool[];
  /** More content blocks. */
  blocks?: Record<string, unknown>[];
  /** The model that the host asks for; the one that codex is configured with when left out. */
  model?: string;
  /** Messages before the user's. */
  history?: { role: string; content: string }[];
  schema?: Record<string, unknown>;
  /** Another workspace than the sandbox's first. */
  workspace?: string | undefined;
}

/** A turn that has ended. */
export interface Played {
  turn: Turn;
  end: EventOf<"message_end">;
  /** What reached the model during the turn, oldest first. */
  asked: ModelRequest[];
}

/** Who lives in the sandbox besides the plugin, and a codex that waits for its next turn. */
export async function strangers(sandbox: Sandbox, { pid: plugin }: Host): Promise<Process[]> {
  return (await sandbox.processes()).filter(({ pid, command }) =>
    pid !== plugin && !/ app-server /.test(command)
  );
}

/** Everything that a turn of a real codex needs, and nothing of the machine. */
export class Lab implements AsyncDisposable {
  #host: Host;

  private constructor(
    readonly version: string,
    readonly codex: CodexBinary,
    readonly sandbox: Sandbox,
    host: Host,
  ) {
    this.#host = host;
  }

  /** Fetches that codex if need be, and starts everything. */
  static async open(version: string, options: LabOptions = {}): Promise<Lab> {
    const { transport = "exec", config, ...rest } = options;
    const codex = await codexBinary(version);
    await using opened = new AsyncDisposableStack();
    const sandbox = opened.use(
      await openSandbox({
        binary: codex.native,
        ...rest,
        // `exec` is what a configuration without a word means.
        config: { ...config, ...transport === "exec" ? {} : { transport } },
      }),
    );
    const host = opened.use(await startHost({ env: sandbox.env }));
    await host.initialize();
    opened.move();
    return new Lab(version, codex, sandbox, host);
  }

  get host(): Host {
    return this.#host;
  }

  /** Ends the plugin and starts another. */
  async restart(): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
    this.#host = await startHost({ env: this.sandbox.env });
    await this.#host.initialize();
  }

  /** Asks for a turn in the sandbox's workspace. */
  start(text: string, request: Request = {}): Turn {
    const { steps, tools, blocks = [], history = [], schema, model = "codex" } = request;
    if (steps) this.sandbox.model.setSteps(steps);
    const content = [{ type: "text", text }, ...blocks];
    return this.host.stream({
      model,
      agent: { agent_id: "cx", workspace: request.workspace ?? this.sandbox.workspace },
      session_id: "s_1",
      request: {
        messages: [...history, { role: "user", content }],
        ...(tools ? { tools } : {}),
        ...(schema ? { output_schema: schema } : {}),
      },
    });
  }

  /** Plays a turn to its end, whatever that is; every step must have been taken then. */
  async play(text: string, request: Request = {}): Promise<Played> {
    const { model } = this.sandbox;
    const before = model.asked.length;
    const turn = this.start(text, request);
    const end = await turn.end();
    await turn.result;
    assert.equal(model.pending, 0, `steps that the model was not asked for\n${turn.story()}`);
    return { turn, end, asked: model.asked.slice(before) };
  }

  /** The same for a turn that must end well. */
  async succeed(text: string, request: Request = {}): Promise<Played> {
    const played = await this.play(text, request);
    assert.equal(played.end.stop_reason, "end_turn", played.turn.story());
    return played;
  }

  /** `plexum/session/mutate` on the sandbox's workspace. */
  async mutate(op: string, ...ids: string[]): Promise<MutateResult> {
    const mutations = ids.map((block_id) => ({ block_id, op }));
    const { workspace } = this.sandbox;
    const result = await this.host.request(METHOD.mutate, { agent_id: "cx", workspace, mutations });
    return result as MutateResult;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _sandbox = this.sandbox;
    await this.#host[Symbol.asyncDispose]();
  }
}
