/**
 * Whoever connects to a turn's socket and says whatever: the right token is let in and served, all
 * else is turned away, and the bridge goes on serving the next one.
 *
 * In a case `$TOKEN` stands for the bridge's token, which no file could know.
 */
import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { type Bridge, openBridge } from "../../../mcp_host/bridge.ts";
import {
  decodeAnswer,
  decodeHello,
  HELLO_MAX_BYTES,
  LINK_VERSION,
} from "../../../mcp_host/listener/hello.ts";
import { within } from "../../../tests/support/deadline.ts";
import { anyValue, object, text, word } from "./json_text.ts";
import { lines, mutated } from "./mutation.ts";
import { bytesOf, chunksOf, type Runner, type Target } from "./target.ts";

const HELLO = '{"plexum_mcp":2,"agent_id":"cx","token":"$TOKEN"}';
const PROBE = '{"jsonrpc":"2.0","id":"the last","method":"ping"}';
/** Statuses that one connection may cause. */
const STATUSES_MAX = 3;

const id = fc.oneof(word("1", "the probe"), fc.constantFrom("1", "2", "null", "1.5", "1e400"));
const args = object({ text, n: anyValue });
const meta = object({ callId: text, progressToken: fc.oneof(text, fc.constant("3")) });
const message = fc.oneof(
  object({
    jsonrpc: word("2.0"),
    id,
    method: word("tools/call"),
    params: object({ name: word("echo", "grow", "nope"), arguments: args, _meta: meta }),
  }),
  object({
    jsonrpc: word("2.0"),
    id,
    method: word("initialize"),
    params: object({
      protocolVersion: word("2025-06-18", "1"),
      capabilities: object({ elicitation: anyValue }),
      clientInfo: object({ name: text, version: text }),
    }),
  }),
  object({ jsonrpc: word("2.0"), id, method: word("tools/list", "ping", "logging/setLevel", "x") }),
  object({
    jsonrpc: word("2.0"),
    method: word("notifications/cancelled", "notifications/initialized", "notifications/progress"),
    params: object({ requestId: id, progressToken: id, progress: anyValue }),
  }),
  object({ jsonrpc: word("2.0"), id, result: anyValue, error: anyValue }),
  anyValue,
);
const hello = fc.oneof(
  { weight: 12, arbitrary: fc.constant(HELLO) },
  {
    weight: 2,
    arbitrary: object({
      plexum_mcp: fc.constantFrom("2", "3"),
      agent_id: word("cx", "other"),
      token: word("$TOKEN", "", "x".repeat(64)),
    }),
  },
  { weight: 1, arbitrary: anyValue },
);
const talk = fc.tuple(hello, fc.constantFrom("\n", "\r\n", "", " "), mutated(lines(message, 5)))
  .map(([hello, end, rest]) => new Uint8Array([...bytesOf(hello + end), ...rest]));

/** The socket of a turn. */
export const mcpLink: Target = {
  cases: fc.oneof({ weight: 9, arbitrary: talk }, { weight: 1, arbitrary: mutated(talk) }),
  async open(directory): Promise<Runner> {
    const statuses: string[] = [];
    const bridge = await openBridge({
      agentId: "cx",
      tools: [
        { name: "echo", inputSchema: { type: "object", properties: { n: { type: "number" } } } },
        { name: "grow" },
      ],
      executable: ["/nowhere"],
      runtimeDir: directory,
      toolTimeoutMs: 60_000,
      resultMaxBytes: 4096,
    }, { omitToolsFrom: true });
    bridge.attach({
      onStatus: (message) => statuses.push(message),
      call: ({ name, arguments: args }) =>
        Promise.resolve({
          content: [{ type: "text", text: JSON.stringify(args).repeat(name === "grow" ? 50 : 1) }],
        }),
    });
    return {
      async run(bytes) {
        statuses.length = 0;
        await check(bridge, bytes);
        assert.ok(statuses.length <= STATUSES_MAX, `${statuses.length} statuses: ${statuses[0]}`);
      },
      close: () => bridge.close(),
    };
  },
};

async function check(bridge: Bridge, bytes: Uint8Array): Promise<void> {
  const { PLEXUM_MCP_TOKEN: token = "", PLEXUM_MCP_SOCKET: socket = "" } = bridge.access?.env ?? {};
  const said = replaceAll(bytes, token);
  const end = said.subarray(0, HELLO_MAX_BYTES).indexOf(10);
  decodeAnswer(end < 0 ? said : said.subarray(0, end));
  const hello = end < 0 ? undefined : decodeHello(said.subarray(0, end));
  const welcome = hello?.token === token && hello.agentId === "cx" &&
    hello.version === LINK_VERSION;
  using conn = await Deno.connect({ transport: "unix", path: socket });
  const whole = welcome ? new Uint8Array([...said, ...bytesOf(`\n${PROBE}\n`)]) : said;
  const talking = say(conn, whole, welcome);
  const heard = await within(hear(conn, welcome), "an answer or the end", () => "", 20_000);
  await talking;
  checkAnswers(heard, welcome);
}

async function say(conn: Deno.UnixConn, bytes: Uint8Array, stay: boolean): Promise<void> {
  try {
    // A chunk for each byte of a long talk would only measure the kernel.
    for (const chunk of bytes.length > 2000 ? [bytes] : chunksOf(bytes)) {
      for (let at = 0; at < chunk.length;) at += await conn.write(chunk.subarray(at));
    }
    if (!stay) await conn.closeWrite();
  } catch {
    // Turned away before everything was said.
  }
}

/** Everything that is said until the probe is answered, or the connection ends. */
async function hear(conn: Deno.UnixConn, stay: boolean): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const buffer = new Uint8Array(65536);
  let heard = "";
  for (;;) {
    const read = await conn.read(buffer).catch(() => null);
    if (read === null) {
      assert.ok(!stay, `the connection ended before the probe was answered: ${heard}`);
      return heard;
    }
    heard += decoder.decode(buffer.subarray(0, read), { stream: true });
    if (stay && /"id":"the last"[^\n]*\n/.test(heard)) return heard;
  }
}

function checkAnswers(heard: string, welcome: boolean): void {
  const said = heard.split("\n");
  if (said.length > 1 && !said.at(-1)) said.pop();
  const [first, ...rest] = said;
  if (!welcome) {
    assert.ok(rest.length === 0 && !heard.includes('"admitted":true'), `let in: ${heard}`);
    return;
  }
  assert.equal(first, '{"plexum_mcp":2,"admitted":true}');
  for (const line of rest) {
    const frame: Record<string, unknown> = JSON.parse(line);
    assert.equal(frame.jsonrpc, "2.0", line.slice(0, 200));
    const kind = ["result", "error", "method"].filter((key) => key in frame);
    assert.equal(kind.length, 1, line.slice(0, 200));
  }
}

function replaceAll(bytes: Uint8Array, token: string): Uint8Array {
  const mark = bytesOf("$TOKEN");
  const parts: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const here = mark.every((byte, i) => bytes[at + i] === byte);
    if (here) parts.push(...bytesOf(token));
    else parts.push(bytes[at] ?? 0);
    at += here ? mark.length : 1;
  }
  return Uint8Array.from(parts);
}
