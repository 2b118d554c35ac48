/**
 * The lab: one profile, one codex, scripted model, workspace and host that has started the compiled
 * plugin, with shorthands for a turn. Tests, the demo, the matrix and the proofs work in it; `Sandbox`
 * is the same without a host, for what starts the plugin in its own way.
 */
import { strict as assert } from "node:assert";
import { METHOD, type MutateResult, type Tool } from "../../plugin/protocol.ts";
import type { ModelRequest } from "./model/request.ts";
import type { ScriptedStep } from "./model/step.ts";
import { codexBinary } from "./codex.ts";
import { type Host, type HostOptions, startHost } from "./host.ts";
import type { RequestHandler } from "./peer.ts";
import type { Process } from "./processes.ts";
import { openSandbox, type Sandbox, type SandboxOptions } from "./sandbox.ts";
import type { EventOf, Turn } from "./turn.ts";
import type { InitializeResult } from "./wire.ts";

/** How the plugin runs codex, as its configuration names it. */
export type Transport = "exec" | "app-server";

/** What of a lab is different. */
export interface LabOptions extends Omit<SandboxOptions, "binary"> {
  /** `exec` when left out. */
  transport?: Transport;
  /** Puts there what has to be there before the plugin starts; may say how that is started. */
  prepare?: (sandbox: Sandbox) => Promise<Partial<HostOptions> | void> | void;
  /** Answers the plugin's calls of host tools. */
  onToolCall?: RequestHandler;
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

/** Who lives in the sandbox besides the plugin, and a codex that waits for its next turn, or starts for it. */
export async function strangers(sandbox: Sandbox, { pid: plugin }: Host): Promise<Process[]> {
  return (await sandbox.processes()).filter(({ pid, command }) =>
    pid !== plugin && !/ app-server |^getconf LONG_BIT\b/.test(command)
  );
}

/** Everything that a turn of codex needs, and nothing of the machine. */
export class Lab implements AsyncDisposable {
  #host: Host;
  readonly #boot: () => Promise<[Host, InitializeResult]>;

  private constructor(
    /** Of the codex; empty where it is none that was fetched. */
    readonly version: string,
    readonly sandbox: Sandbox,
    /** What the plugin said of itself when it was started first. */
    readonly hello: InitializeResult,
    host: Host,
    boot: () => Promise<[Host, InitializeResult]>,
  ) {
    this.#host = host;
    this.#boot = boot;
  }

  /** Starts everything. `codex` is a version, which is fetched if need be, or what a sandbox takes. */
  static async open(codex: SandboxOptions["binary"], options: LabOptions = {}): Promise<Lab> {
    const { transport = "exec", config, prepare, onToolCall, ...rest } = options;
    const version = typeof codex === "string" && /^\d+\.\d+\.\d+/.test(codex) ? codex : "";
    const binary = version === "" ? codex : (await codexBinary(version)).native;
    const how = { transport, ...config };
    await using opened = new AsyncDisposableStack();
    const sandbox = opened.use(await openSandbox({ binary, ...rest, config: how }));
    const program = { env: sandbox.env, ...await prepare?.(sandbox) };
    const boot = async (): Promise<[Host, InitializeResult]> => {
      await using opened = new AsyncDisposableStack();
      const host = opened.use(await startHost(program));
      if (onToolCall) host.onRequest(METHOD.hostToolCall, onToolCall);
      const hello = await host.initialize();
      opened.move();
      return [host, hello];
    };
    const [host, hello] = await boot();
    opened.move();
    return new Lab(version, sandbox, hello, host, boot);
  }

  get host(): Host {
    return this.#host;
  }

  /** Ends the plugin, if nobody has killed it, and starts another. */
  async restart(): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
    [this.#host] = await this.#boot();
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
  mutate(op: string, ...ids: string[]): Promise<MutateResult> {
    return this.mutateAll(ids.map((block_id) => ({ block_id, op })));
  }

  /** The same with an op for each, and in any workspace. */
  async mutateAll(
    mutations: { block_id: string; op: string }[],
    workspace: string = this.sandbox.workspace,
  ): Promise<MutateResult> {
    const result = await this.host.request(METHOD.mutate, { agent_id: "cx", workspace, mutations });
    return result as MutateResult;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _sandbox = this.sandbox;
    await this.#host[Symbol.asyncDispose]();
  }
}
