/**
 * A model for one turn, on loopback, that needs neither login nor network: it asks for a shell command
 * and for the host's tool where it is offered one, and then answers.
 *
 * It speaks as much of the Responses API as codex needs for that (server-sent events).
 *
 * @module
 */
import { isObject } from "../../../base/json_object.ts";

/** What the model says at the end. */
export const ALL_WELL = "All is well.";

/** The running model. */
export interface ProbeModel {
  /** A whole `config.toml` for codex, which makes this its model. */
  readonly configToml: string;
  close(): Promise<void>;
}

/** A model that every supported codex knows and that takes plain function calls. */
const MODEL = "gpt-5.5";

/** Starts the model on a free port of 127.0.0.1. */
export function startProbeModel(): ProbeModel {
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
