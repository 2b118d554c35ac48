/**
 * `doctor --deep`: one real turn of the installed codex, with our own runner and relay, against a
 * model on loopback (`probe_model.ts`). No login and no network is needed, and codex's home stays untouched.
 *
 * @module
 */
import { join } from "@std/path";
import { StateStore } from "../../../rollout/state/state.ts";
import { Transports } from "../../../runner/transports.ts";
import { runTurn } from "../../../runner/turn.ts";
import { TurnError, type TurnEvent } from "../../../runner/turn_event.ts";
import { TurnStream } from "../../../runner/turn_stream.ts";
import type { TurnContext, TurnRequest } from "../../../runner/turn_request.ts";
import { errorMessage } from "../../../base/error_message.ts";
import { turnSettings } from "../../config/settings.ts";
import { VERSION } from "../../self.ts";
import { type Check, type DoctorContext, fail, type Finding, ok } from "./check.ts";
import { rememberTested } from "./tested_codex.ts";
import { ALL_WELL, type ProbeModel, startProbeModel } from "./probe_model.ts";

const ASK = "Is all well?";
const TOOL_SAID = "The host answered.";
const LIMIT_MS = 60_000;
/** What goes on after an event. */
const DOING: Readonly<Record<string, string>> = {
  message_start: "waiting for the model",
  tool_call_end: "a tool runs",
  tool_result: "waiting for the model",
  text_delta: "waiting for codex to end",
};

/** The check. */
export const TURN_CHECK: Check = {
  id: "deep_turn",
  group: "turns",
  needs: ["codex_version", "codex_sandbox", "mcp_host"],
  run: deepTurn,
};

async function deepTurn(context: DoctorContext): Promise<Finding> {
  const codex = await context.usableCodex();
  const direct = codex.capabilities.toolsDeferredFrom !== 1;
  const root = Deno.makeTempDirSync({ prefix: "plexum-doctor-" });
  const model = startProbeModel();
  const started = performance.now();
  try {
    const events = await turn(context, root, model, direct);
    const finding = judge(events, Math.round(performance.now() - started), direct);
    if (finding.status === "ok") rememberTested(context.facts.paths, codex);
    return finding;
  } catch (error) {
    const failure = error instanceof TurnError ? error.failure : undefined;
    return fail("a turn could not start", {
      detail: [errorMessage(error), failure?.detail].filter(Boolean).join("\n"),
      ...(failure?.hint === undefined ? {} : { remedy: failure.hint }),
    });
  } finally {
    await model.close().catch(() => {});
    Deno.removeSync(root, { recursive: true });
  }
}

async function turn(
  doctor: DoctorContext,
  root: string,
  model: ProbeModel,
  direct: boolean,
): Promise<TurnEvent[]> {
  const { config, environment, runtimeDirectory, executable } = doctor.facts;
  const folder = (name: string): string => {
    Deno.mkdirSync(join(root, name), { mode: 0o700 });
    return join(root, name);
  };
  const home = folder("codex");
  Deno.writeTextFileSync(join(home, "config.toml"), model.configToml);
  const settings = turnSettings(config, "codex", "doctor");
  // A proxy is for the real model, not for the one on this machine.
  const loopback = { NO_PROXY: "127.0.0.1,localhost", no_proxy: "127.0.0.1,localhost" };
  const running = folder("running");
  const transports = new Transports(running, () => {});
  const context: TurnContext = {
    transports,
    settings: {
      ...settings,
      extraArgs: [],
      env: { ...config.env, ...loopback, CODEX_HOME: home, TMPDIR: folder("tmp") },
    },
    environment,
    runningDirectory: running,
    runtimeDirectory,
    store: new StateStore(folder("state")),
    executable,
    version: VERSION,
    log: () => {},
  };
  const workspace = folder("workspace");
  const request: TurnRequest = {
    agentId: "doctor",
    workspace,
    cwd: workspace,
    model: undefined,
    text: ASK,
    images: [],
    system: undefined,
    outputSchema: undefined,
    history: [],
    tools: direct
      ? [{ name: "ping", description: "Answers.", inputSchema: { type: "object" } }]
      : [],
    callTool: () => Promise.resolve({ content: [{ type: "text", text: TOOL_SAID }] }),
  };
  const events: TurnEvent[] = [];
  const stream = new TurnStream({
    agentId: "doctor",
    model: "codex",
    send(event) {
      if (event.type in DOING) doctor.facts.progress(`a turn: ${DOING[event.type]}`);
      return Promise.resolve(void events.push(event));
    },
  });
  try {
    await runTurn(request, context, stream, AbortSignal.timeout(LIMIT_MS));
    return events;
  } finally {
    await transports.close();
  }
}

function judge(events: readonly TurnEvent[], ms: number, direct: boolean): Finding {
  const error = events.find((event) => event.type === "error");
  if (error?.type === "error") {
    const { kind, message, hint, detail } = error.error;
    return fail(`the turn failed: ${kind}`, {
      detail: [message, detail].filter(Boolean).join("\n"),
      ...(hint === undefined ? {} : { remedy: hint }),
    });
  }
  const text = events.map((event) => event.type === "text_delta" ? event.text : "").join("");
  const outputs = events.flatMap((event) => event.type === "tool_result" ? [event] : []);
  const failed = outputs.filter(({ is_error }) => is_error).map(({ output }) => show(output));
  const called = !direct || outputs.some(({ output }) => show(output).includes(TOOL_SAID));
  if (text.includes(ALL_WELL) && called && failed.length === 0) {
    return ok(`a turn with a shell command and a host tool took ${ms} ms`);
  }
  return fail("the turn ran, but not as it should", {
    detail: called ? failed.join("\n") : "the host's tool was not called",
  });
}

function show(output: string | unknown[]): string {
  return (typeof output === "string" ? output : JSON.stringify(output)).slice(0, 1000);
}
