/**
 * Turns without a host: `runTurn` in this process, in a sandbox of its own, with a fake codex or a
 * real one.
 */
import { join } from "@std/path";
import { StateStore } from "../../rollout/state/state.ts";
import { Transports } from "../../runner/transports.ts";
import { runTurn } from "../../runner/turn.ts";
import type { TurnEnd, TurnEvent } from "../../runner/turn_event.ts";
import { TurnStream } from "../../runner/turn_stream.ts";
import type { TurnContext, TurnRequest, TurnSettings } from "../../runner/turn_request.ts";
import { type FakeCodex, fakeCodex, type Scenario } from "../support/fake_codex.ts";
import { within } from "../support/deadline.ts";
import { openSandbox, type Sandbox, type SandboxOptions } from "../support/sandbox.ts";

/** A turn that was asked for. */
export interface RigTurn {
  /** What was told so far. */
  events: TurnEvent[];
  /** Its end; rejects as `runTurn` does. */
  end: Promise<TurnEnd>;
  cancel(): void;
  /** Resolves with the first event of that type, past or future. */
  until<T extends TurnEvent["type"]>(type: T): Promise<Extract<TurnEvent, { type: T }>>;
}

/** The place where turns run. */
export interface Rig extends AsyncDisposable {
  sandbox: Sandbox;
  /** May be changed between turns. */
  settings: TurnSettings;
  store: StateStore;
  /** What was logged. */
  logs: { level: string; message: string; data?: Record<string, unknown> }[];
  /** Directory of running turns. */
  running: string;
  /** Starts a turn; `told` slows it down. */
  turn(
    request?: Partial<TurnRequest>,
    told?: (event: TurnEvent) => Promise<void>,
  ): RigTurn;
}

/** A rig around a fake codex. */
export async function fakeRig(scenario: Scenario): Promise<Rig & { codex: FakeCodex }> {
  const rig = await openRig({ binary: "codex" });
  const codex = await fakeCodex(rig.sandbox.root, scenario);
  rig.settings.binary = codex.path;
  return Object.assign(rig, { codex });
}

/** A rig around `options.binary`. */
export async function openRig(options: SandboxOptions): Promise<Rig> {
  const sandbox = await openSandbox(options);
  const running = join(sandbox.profile, "running");
  const logs: Rig["logs"] = [];
  const store = new StateStore(join(sandbox.profile, "state"), {
    onWarning: (message) => logs.push({ level: "warning", message }),
  });
  const settings: TurnSettings = {
    binary: sandbox.binary,
    extraArgs: [],
    sandbox: "danger-full-access",
    trustWorkspace: false,
    writableRoots: [],
    networkAccess: false,
    env: {},
    onLostSession: "fresh",
    olderCodex: "refuse",
    retries: 0,
    limits: { start: 60_000, silence: 60_000, toolSilence: 60_000, reconnect: 0, total: 0 },
    graceMs: 3_000,
    transport: "exec",
    warm: () => ({ idleMs: 300_000, max: 8, spare: false }),
    toolTimeoutMs: 60_000,
    toolResultMaxBytes: 1_048_576,
    userMcpServers: "keep",
    mcpRegistration: "per-run",
  };
  const context: TurnContext = {
    settings,
    environment: sandbox.env,
    runningDirectory: running,
    runtimeDirectory: sandbox.runtime,
    store,
    transports: new Transports(running, () => {}),
    executable: ["/nowhere/plugin"],
    version: "0",
    log: (level, message, data) => logs.push({ level, message, ...(data ? { data } : {}) }),
  };
  return {
    sandbox,
    settings,
    store,
    logs,
    running,
    turn: (request = {}, told = () => Promise.resolve()) =>
      startTurn({ ...plainRequest(sandbox, request.workspace), ...request }, context, told),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

function plainRequest(sandbox: Sandbox, workspace = sandbox.workspace): TurnRequest {
  return {
    agentId: "cx",
    workspace,
    cwd: workspace,
    model: undefined,
    text: "do it",
    images: [],
    system: undefined,
    outputSchema: undefined,
    history: [],
    tools: [],
    callTool: () => Promise.reject(new Error("no host tools here")),
  };
}

function startTurn(
  request: TurnRequest,
  context: TurnContext,
  told: (event: TurnEvent) => Promise<void>,
): RigTurn {
  const events: TurnEvent[] = [];
  const watchers = new Set<() => void>();
  const control = new AbortController();
  const wake = () => watchers.forEach((watcher) => watcher());
  const stream = new TurnStream({
    agentId: request.agentId,
    model: "codex",
    send(event) {
      events.push(event);
      wake();
      return told(event);
    },
  });
  const story = () => events.map((event) => JSON.stringify(event).slice(0, 300)).join("\n");
  const end = runTurn(request, context, stream, control.signal);
  end.catch(() => {}).finally(wake);
  return {
    events,
    end: within(end, "the end of a turn", story),
    cancel: () => control.abort(),
    until(type) {
      const { promise, resolve } = Promise.withResolvers<
        Extract<TurnEvent, { type: typeof type }>
      >();
      const look = () => {
        const found = events.find((event): event is Extract<TurnEvent, { type: typeof type }> =>
          event.type === type
        );
        if (found !== undefined) resolve(found);
      };
      watchers.add(look);
      look();
      return within(promise, `the event ${type}`, story);
    },
  };
}

/** The names in a directory; none when it is missing. */
export function namesIn(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}
