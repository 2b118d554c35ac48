/**
 * `doctor --deep`: one real turn of the installed codex, with our own runner and relay, against a
 * model on loopback (below). No login and no network is needed, and codex's home stays untouched.
 *
 * @module
 */
import { join } from "@std/path";
import { errorMessage } from "../../../base/error_message.ts";
import { isObject } from "../../../base/json_object.ts";
import { StateStore } from "../../../rollout/state/state.ts";
import { Transports } from "../../../runner/transports.ts";
import { runTurn } from "../../../runner/turn.ts";
import { TurnError, type TurnEvent } from "../../../runner/turn_event.ts";
import type { TurnContext, TurnRequest } from "../../../runner/turn_request.ts";
import { TurnStream } from "../../../runner/turn_stream.ts";
import { turnSettings } from "../../config/settings.ts";
import { VERSION } from "../../self.ts";
import { type Check, type DoctorContext, fail, type Finding, ok } from "./check.ts";
import { rememberTested } from "./checks_codex.ts";

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
  const { paths, runtimeDirectory } = context.facts;
  // Not in the temp directory, where an agent could give this codex a configuration of its own.
  const root = Deno.makeTempDirSync({ dir: runtimeDirectory, prefix: "plexum-doctor-" });
  const model = startProbeModel();
  const started = performance.now();
  try {
    const events = await turn(context, root, model, direct);
    const finding = judge(events, Math.round(performance.now() - started), direct);
    if (finding.status === "ok") rememberTested(paths, codex);
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

/*
 * A model for one turn, on loopback, that needs neither login nor network: it asks for a shell command
 * and for the host's tool where it is offered one, and then answers.
 *
 * It speaks as much of the Responses API as codex needs for that (server-sent events).
 */

/** What the model says at the end. */
const ALL_WELL = "All is well.";

interface ProbeModel {
  /** A whole `config.toml` for codex, which makes this its model. */
  readonly configToml: string;
  close(): Promise<void>;
}

/** A model that every supported codex knows and that takes plain function calls. */
const MODEL = "gpt-5.5";

/** Starts the model on a free port of 127.0.0.1. */
function startProbeModel(): ProbeModel {
  let asked = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (request.method !== "POST" || !pathname.endsWith("/responses")) {
        await request.body?.cancel();
        return Response.json({ error: { message: `no route for ${pathname}` } }, { status: 404 });
      }
      const items = asked++ === 0 ? callsFor(await request.json()) : [message(ALL_WELL)];
      return new Response(events(`resp_${asked}`, items), {
        headers: { "content-type": "text/event-stream" },
      });
    },
  );
  return { configToml: configToml(server.addr.port), close: () => server.shutdown() };
}

type Item = { type: string; [field: string]: unknown };

function callsFor(request: unknown): Item[] {
  const tools = isObject(request) && Array.isArray(request.tools) ? request.tools : [];
  const names = tools.map((tool) => isObject(tool) ? tool.name : undefined);
  const namespace = names.find((name) => typeof name === "string" && name.startsWith("mcp__"));
  const call = (id: string, name: string, args: unknown, more = {}): Item => ({
    type: "function_call",
    id: `fc_${id}`,
    call_id: `call_${id}`,
    name,
    arguments: JSON.stringify(args),
    status: "completed",
    ...more,
  });
  return [
    call("shell", "exec_command", { cmd: "echo well" }),
    ...(namespace === undefined ? [] : [call("host", "ping", {}, { namespace })]),
  ];
}

function message(text: string): Item {
  const content = [{ type: "output_text", text, annotations: [] }];
  return { type: "message", id: "msg_1", role: "assistant", status: "completed", content };
}

function events(id: string, items: readonly Item[]): string {
  const response = { id, object: "response", model: MODEL, output: [] };
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 10,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 110,
  };
  const all: [type: string, data: Record<string, unknown>][] = [
    ["response.created", { response }],
    ...items.flatMap((item, output_index): [string, Record<string, unknown>][] => [
      ["response.output_item.added", { output_index, item }],
      ["response.output_item.done", { output_index, item }],
    ]),
    ["response.completed", { response: { ...response, output: items, usage } }],
  ];
  return all.map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
    .join("");
}

/** The name must not be "OpenAI": that one switches remote compaction on. */
function configToml(port: number): string {
  return `model = "${MODEL}"
model_provider = "probe"

[model_providers.probe]
name = "probe"
base_url = "http://127.0.0.1:${port}/v1"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
`;
}
