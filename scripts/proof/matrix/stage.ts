/**
 * Where a scenario is played: a sandbox, a codex of one version in it, a host that has started the
 * compiled plugin, and shorthands for what every scenario does.
 *
 * @module
 */
import { strict as assert } from "node:assert";
import { METHOD, type MutateResult, type Tool } from "../../../plugin/protocol.ts";
import type { ModelRequest } from "../../../tests/support/model/request.ts";
import type { ScriptedStep } from "../../../tests/support/model/step.ts";
import { type CodexBinary, codexBinary } from "../../../tests/support/codex.ts";
import { type Host, startHost } from "../../../tests/support/host.ts";
import { openSandbox, type Sandbox } from "../../../tests/support/sandbox.ts";
import type { Transport } from "./scenario.ts";
import type { EventOf, Turn } from "../../../tests/support/turn.ts";

/** What a scenario wants to be different. */
export interface StageOptions {
  /** The model codex is configured with; a plain one (no code mode) when left out. */
  modelName?: string;
  /** Keys of the plugin's config.json. */
  config?: Record<string, unknown>;
}

/** What a turn may have beside its text. */
export interface Request {
  /** What the model does, request by request. */
  steps?: ScriptedStep[];
  tools?: Tool[];
  /** More content blocks. */
  blocks?: Record<string, unknown>[];
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

/** The stage of one cell. */
export class Stage implements AsyncDisposable {
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
  static async set(
    version: string,
    transport: Transport = "exec",
    options: StageOptions = {},
  ): Promise<Stage> {
    const codex = await codexBinary(version);
    await using opened = new AsyncDisposableStack();
    const sandbox = opened.use(
      await openSandbox({
        binary: codex.native,
        ...options,
        // `exec` is what a configuration without a word means.
        config: { ...options.config, ...transport === "exec" ? {} : { transport } },
      }),
    );
    const host = opened.use(await startHost({ env: sandbox.env }));
    await host.initialize();
    opened.move();
    return new Stage(version, codex, sandbox, host);
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
    const { steps, tools, blocks = [], history = [], schema } = request;
    if (steps) this.sandbox.model.setSteps(steps);
    const content = [{ type: "text", text }, ...blocks];
    return this.host.stream({
      model: "codex",
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
