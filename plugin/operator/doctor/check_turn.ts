/**
 * `doctor --deep`: one real turn of the installed codex, with our own runner and relay, against a
 * model on loopback (`probe_model.ts`). No login and no network is needed, and codex's home stays untouched.
 *
 * @module
 */
import { join } from "@std/path";
import { StateStore } from "../../../rollout/state/state.ts";
import { runTurn } from "../../../runner/turn.ts";
import { TurnError, type TurnEvent } from "../../../runner/turn_event.ts";
import type { TurnContext, TurnRequest } from "../../../runner/turn_request.ts";
import { errorMessage } from "../../../base/error_message.ts";
import { turnSettings } from "../../config/settings.ts";
import { VERSION } from "../../version.ts";
import { type Check, fail, type Finding, ok, type World } from "./check.ts";
import { codexOf, WITHOUT_CODEX } from "./checks_codex.ts";
import { ALL_WELL, type ProbeModel, startProbeModel } from "./probe_model.ts";

const ASK = "Is all well?";
const TOOL_SAID = "The host answered.";
const LIMIT_MS = 60_000;

/** The check. */
export const TURN_CHECK: Check = { id: "deep_turn", run: deepTurn };

async function deepTurn(world: World): Promise<Finding> {
  const codex = await codexOf(world);
  if (codex instanceof TurnError) return WITHOUT_CODEX;
  const direct = !codex.capabilities.toolsDeferred;
  const root = Deno.makeTempDirSync({ prefix: "plexum-doctor-" });
  const model = startProbeModel();
  const started = performance.now();
  try {
    const events = await turn(world, root, model, direct);
    const ms = Math.round(performance.now() - started);
    return judge(events, ms, direct);
  } catch (error) {
    const failure = error instanceof TurnError ? error.failure : undefined;
    const detail = [errorMessage(error), failure?.detail].filter(Boolean).join(" ");
    return fail("a turn could not start", failure?.hint ?? "See the checks above.", detail);
  } finally {
    await model.close().catch(() => {});
    Deno.removeSync(root, { recursive: true });
  }
}

async function turn(
  world: World,
  root: string,
  model: ProbeModel,
  direct: boolean,
): Promise<TurnEvent[]> {
  const { config, environment, runtimeDirectory, executable } = world;
  const folder = (name: string): string => {
    Deno.mkdirSync(join(root, name), { mode: 0o700 });
    return join(root, name);
  };
  const home = folder("codex");
  Deno.writeTextFileSync(join(home, "config.toml"), model.configToml);
  const settings = turnSettings(config, "codex", "doctor");
  // A proxy is for the real model, not for the one on this machine.
  const loopback = { NO_PROXY: "127.0.0.1,localhost", no_proxy: "127.0.0.1,localhost" };
  const context: TurnContext = {
    settings: {
      ...settings,
      extraArgs: [],
      env: { ...config.env, ...loopback, CODEX_HOME: home, TMPDIR: folder("tmp") },
    },
    environment,
    runningDirectory: folder("running"),
    runtimeDirectory,
    store: new StateStore(folder("state")),
    executable,
    version: VERSION,
    log: () => {},
  };
  const request: TurnRequest = {
    agentId: "doctor",
    workspace: folder("workspace"),
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
  const take = (event: TurnEvent) => Promise.resolve(void events.push(event));
  await runTurn(request, context, take, AbortSignal.timeout(LIMIT_MS));
  return events;
}

function judge(events: readonly TurnEvent[], ms: number, direct: boolean): Finding {
  const error = events.find((event) => event.type === "error");
  if (error?.type === "error") {
    const { kind, message, hint = "See the checks above.", detail } = error.failure;
    return fail(`the turn failed: ${kind}`, hint, [message, detail].filter(Boolean).join(" "));
  }
  const text = events.map((event) => event.type === "text" ? event.text : "").join("");
  const outputs = events.flatMap((event) => event.type === "call_result" ? [event] : []);
  const failed = outputs.filter(({ isError }) => isError).map(({ output }) => show(output));
  const called = !direct || outputs.some(({ output }) => show(output).includes(TOOL_SAID));
  if (text.includes(ALL_WELL) && called && failed.length === 0) {
    return ok(`a turn with a shell command and a host tool took ${ms} ms`);
  }
  const why = called ? failed.join(" ") : "the host's tool was not called";
  return fail("the turn ran, but not as it should", "See codex_sandbox and mcp_host.", why);
}

function show(output: string | unknown[]): string {
  return (typeof output === "string" ? output : JSON.stringify(output)).slice(0, 1000);
}
