/**
 * What a host sends, in one process with the code that reads it: no plugin is started, so that a
 * million cases take minutes. Turns end at their start, because there is no codex.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import * as fc from "fast-check";
import { FrameWriter } from "../../../base/jsonrpc/frame.ts";
import { Peer } from "../../../base/jsonrpc/peer.ts";
import { ConfigFile } from "../../../plugin/config/config.ts";
import { Log } from "../../../plugin/log.ts";
import { type ProfilePaths, profilePaths } from "../../../plugin/profile.ts";
import { METHOD } from "../../../plugin/protocol.ts";
import { Provider } from "../../../plugin/provider.ts";
import { HOST_LIMITS, Session } from "../../../plugin/session.ts";
import { add, Answers, type Expected, expectedOf } from "./conversation.ts";
import { anyValue, count, list, object, text, word } from "./json_text.ts";
import { lines, mutated } from "./mutation.ts";
import { bytesOf, chunksOf, type Runner, type Target, tick } from "./target.ts";

/** How often to let others run before an answer counts as missing. */
const PATIENCE = 20_000;

/** In a case, the directory that belongs to it. */
const ROOT_MARK = "$ROOT";

const id = fc.oneof(
  { weight: 6, arbitrary: fc.nat(9).map(String) },
  { weight: 2, arbitrary: word("a", "b", "") },
  { weight: 1, arbitrary: anyValue },
);
const workspace = word(
  "$ROOT/w",
  "$ROOT/new/er",
  "",
  "relative",
  "$ROOT/file/below",
  "/dev/null/x",
);
const block = object({
  type: word("text", "thinking", "tool_use", "tool_result", "image", "novel"),
  text,
  thinking: text,
  id: text,
  name: text,
  tool_use_id: text,
  path: word("/nowhere.png"),
  data_base64: word("AAAA", "%"),
  media_type: word("image/png", "x"),
});
const request = object({
  messages: list(object({ role: word("user", "assistant"), content: fc.oneof(text, list(block)) })),
  tools: list(object({ name: text, description: text, inputSchema: anyValue })),
  system: text,
  output_schema: anyValue,
  max_tokens: count,
});
const params = {
  "plexum/provider/stream": object({
    model: word("codex", "m", "__proto__"),
    agent: object({ agent_id: word("cx", "../../..", ""), workspace }),
    session_id: text,
    request,
  }),
  "plexum/session/mutate": object({
    agent_id: word("cx", "../../..", ""),
    workspace,
    mutations: list(object({ block_id: text, op: word("consume-light", "x") })),
  }),
  "logging/setLevel": object({ level: word("debug", "emergency", "loud") }),
  "initialize": object({ protocolVersion: text, capabilities: anyValue, clientInfo: anyValue }),
  "ping": anyValue,
  "tools/list": anyValue,
  "plexum/stats": anyValue,
  "no/such": anyValue,
  "toString": anyValue,
};
const asked = fc.oneof(
  ...Object.entries(params).map(([method, params]) =>
    object({ jsonrpc: word("2.0"), id, method: word(method), params })
  ),
);

/** One frame as a host sends it, or nearly so, without its newline. */
export const hostFrame: fc.Arbitrary<string> = fc.oneof(
  { weight: 10, arbitrary: asked },
  {
    weight: 2,
    arbitrary: object({
      jsonrpc: word("2.0"),
      method: word("notifications/cancelled", "notifications/initialized", "notifications/x"),
      params: object({ requestId: id, reason: text }),
    }),
  },
  { weight: 1, arbitrary: object({ jsonrpc: word("2.0"), id, result: anyValue, error: anyValue }) },
  { weight: 1, arbitrary: list(asked) },
  { weight: 1, arbitrary: anyValue },
);

/** The plugin's stdin. */
export const hostFrames: Target = {
  cases: mutated(lines(hostFrame, 6)),
  open(directory): Runner {
    Deno.writeTextFileSync(join(directory, "file"), "");
    const paths = profilePaths(join(directory, "p"));
    Deno.mkdirSync(paths.plugin, { recursive: true });
    Deno.writeTextFileSync(paths.config, JSON.stringify({ binary: join(directory, "no-codex") }));
    return { run: (bytes) => converse(withRoot(bytes, directory), directory, paths) };
  },
};

/** The case with `$ROOT` filled in. */
export function withRoot(bytes: Uint8Array, root: string): Uint8Array {
  // Byte by byte: the case need not be text.
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return Uint8Array.from(text.replaceAll(ROOT_MARK, root), (char) => char.charCodeAt(0));
}

async function converse(sent: Uint8Array, directory: string, paths: ProfilePaths): Promise<void> {
  const expected = expectedOf(sent);
  const answers = new Answers(expected);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let failure: unknown;
  const writer = new FrameWriter((bytes) => {
    const [...whole] = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = whole.pop() ?? "";
    try {
      for (const line of whole) answers.take(line);
    } catch (error) {
      failure ??= error;
    }
    return Promise.resolve();
  });
  let provider: Provider | undefined;
  const log: Log = new Log("info", (line) => void peer.notify(METHOD.log, line));
  const config = new ConfigFile(paths.config, () => {});
  const session = new Session(config, log, () => {
    const environment = { HOME: directory, PATH: directory };
    const rest = { executable: ["/nowhere"], version: "0", log };
    const own = { peer, config, paths, runtimeDirectory: () => directory };
    return Promise.resolve(provider = new Provider({ ...own, environment, ...rest }));
  });
  const peer: Peer = new Peer(writer, session, HOST_LIMITS);
  await peer.run(input(sent, expected, answers, () => failure !== undefined));
  await provider?.close();
  await writer.flushed();
  if (failure !== undefined) throw failure;
  assert.equal(rest, "", "what is sent ends with a newline");
  answers.end();
}

/** The chunks, and no end before everything is answered: the end would cut the answers off. */
async function* input(
  sent: Uint8Array,
  expected: Expected,
  answers: Answers,
  stop: () => boolean,
): AsyncGenerator<Uint8Array> {
  add(expected.asked, "hello");
  yield bytesOf('{"jsonrpc":"2.0","id":"hello","method":"initialize"}\n');
  yield* chunksOf(sent);
  for (let n = 0; n < PATIENCE && answers.missing.length > 0 && !stop(); n++) await tick();
}
