/**
 * `mcp-host`, the program that codex starts as its MCP server: a relay and nothing more.
 *
 * It connects to the plugin's socket, says hello and copies bytes both ways. The MCP server is in
 * the plugin, which is warm; codex waits for this program to be ready before it begins the turn, so
 * nothing is loaded here that the copying does not need. It ends with whichever side ends first.
 *
 * Where there is no plugin to talk to, or it refuses, codex gets an MCP server without tools, so
 * that a codex run by hand goes on undisturbed, and stderr says why.
 *
 * @module
 */
import { errorMessage } from "../base/error_message.ts";
import { ANSWER_MAX_BYTES, decodeAnswer, encodeHello } from "./listener/hello.ts";

/** How long the plugin may take to answer the hello. */
const ANSWER_TIMEOUT_MS = 5_000;
/** What codex says before the plugin answered is kept, up to this many bytes. */
const EARLY_MAX_BYTES = 256 * 1024;
const CHUNK_BYTES = 64 * 1024;

const encoder = new TextEncoder();

/** Where the plugin is and who asks. A missing part is an empty string. */
export interface RelayOptions {
  socket: string;
  agentId: string;
  token: string;
}

/** Reads flags over environment. The error words are the seed's; the host looks for them. */
function readRelayOptions(
  argv: readonly string[],
  env: (name: string) => string | undefined,
): RelayOptions | { error: string } {
  const options: RelayOptions = {
    socket: env("PLEXUM_MCP_SOCKET") ?? "",
    agentId: env("PLEXUM_MCP_AGENT_ID") ?? "",
    token: env("PLEXUM_MCP_TOKEN") ?? "",
  };
  for (let at = 0; at < argv.length; at += 2) {
    const flag = argv[at];
    const value = argv[at + 1];
    if (flag !== "--socket" && flag !== "--agent-id") {
      return { error: `mcp-host: unknown mcp-host flag: ${flag}` };
    }
    if (!value) return { error: `mcp-host: ${flag} needs value` };
    if (flag === "--socket") options.socket = value;
    else options.agentId = value;
  }
  return options;
}

/** What the bridge answered: the plugin and what it said behind its line, or why not. */
type Reply =
  | { plugin: Deno.Conn; rest: Uint8Array; proof: string | undefined }
  | { refused: string };

/** Takes what codex says. The chunk may be reused once the promise resolves. */
type Sink = (chunk: Uint8Array) => Promise<void>;

/** Runs the relay; returns the exit code, with which the caller exits at once. */
export async function relay(argv: string[]): Promise<number> {
  const options = readRelayOptions(argv, (name) => Deno.env.get(name));
  if ("error" in options) {
    say(options.error);
    return 1;
  }
  const terminated = Promise.withResolvers<number>();
  const terminate = () => terminated.resolve(0);
  return await Promise.race([terminated.promise, carry(options, terminate).then(() => 0, failed)]);
}

/** Carries bytes until one side ends. */
async function carry(options: RelayOptions, terminate: () => void): Promise<void> {
  const connecting = connect(options);
  const early: Uint8Array[] = [];
  let earlyBytes = 0;
  const answered = Promise.withResolvers<void>();
  let sink: Sink = async (chunk) => {
    early.push(chunk.slice());
    earlyBytes += chunk.length;
    const plugin = await connecting;
    // A plugin that refuses also closes; what it said before that matters more than this error.
    if (typeof plugin !== "string") await writeAll(plugin, chunk).catch(() => {});
    if (earlyBytes > EARLY_MAX_BYTES) await answered.promise;
  };
  const stdinEnded = readStdin(() => sink);
  const plugin = await connecting;
  const replying = typeof plugin === "string" ? { refused: plugin } : readAnswer(plugin);
  // What codex said by now is on its way before the rest is seen to: codex waits for the one, not
  // for the other, which takes a millisecond.
  await Promise.resolve();
  for (const name of ["run", "env", "write", "net", "ffi", "sys"] as const) {
    Deno.permissions.revokeSync({ name });
  }
  Deno.addSignalListener("SIGTERM", terminate);
  const reply = await Promise.race([replying, stdinEnded]);
  if (!reply) return;
  using _shown = "plugin" in reply ? show(reply.proof) : undefined;
  Deno.permissions.revokeSync({ name: "read" });
  if ("plugin" in reply) {
    sink = (chunk) => writeAll(reply.plugin, chunk);
    answered.resolve();
    return await Promise.race([stdinEnded, copyToStdout(reply.plugin, reply.rest)]);
  }
  const empty = await withoutPlugin(reply.refused);
  for (let chunk = early.shift(); chunk; chunk = early.shift()) await empty(chunk);
  sink = empty;
  answered.resolve();
  await stdinEnded;
}

/** A connection on which the hello was said, or why there is none. */
async function connect({ socket, agentId, token }: RelayOptions): Promise<Deno.Conn | string> {
  if (!socket) return "no socket is given: set PLEXUM_MCP_SOCKET or pass --socket PATH";
  if (!token) return "PLEXUM_MCP_TOKEN is not set; the plugin sets it for the turns it runs";
  try {
    const fault = placeFault(socket);
    if (fault) return fault;
    const plugin = await Deno.connect({ transport: "unix", path: socket });
    const hello = encodeHello(agentId, token, Deno.pid);
    // Not waited for: what follows queues behind it, and a plugin that is gone shows in the answer.
    writeAll(plugin, hello).catch(() => {});
    return plugin;
  } catch (error) {
    return `the plugin cannot be reached at ${socket}: ${errorMessage(error)}`;
  }
}

/** Why a socket is not where only the plugin can have put it, or `undefined`. */
function placeFault(socket: string): string | undefined {
  if (!Deno.lstatSync(socket).isSocket) return `${socket} is not a socket`;
  const directory = Deno.lstatSync(socket.slice(0, socket.lastIndexOf("/")) || ".");
  // A directory that is closed to others and that we can look into is our own.
  if (directory.isDirectory && ((directory.mode ?? 0) & 0o077) === 0) return undefined;
  return `the directory of ${socket} is open to others; the plugin's has mode 0700`;
}

/** Reads the bridge's line; what follows it is MCP already. */
async function readAnswer(plugin: Deno.Conn): Promise<Reply> {
  let refused = "the plugin hung up without an answer";
  const timer = setTimeout(() => {
    refused = "the plugin did not answer";
    plugin.close();
  }, ANSWER_TIMEOUT_MS);
  const buffer = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  try {
    while (filled < ANSWER_MAX_BYTES) {
      const read = await plugin.read(buffer.subarray(filled));
      if (read === null) break;
      filled += read;
      const end = buffer.subarray(0, filled).indexOf(10);
      if (end < 0) continue;
      const answer = decodeAnswer(buffer.subarray(0, end));
      if (answer?.admitted) {
        return { plugin, proof: answer.proof, rest: buffer.subarray(end + 1, filled) };
      }
      refused = `the plugin refused: ${answer?.reason ?? "it speaks another language"}`;
      break;
    }
  } catch {
    // Closed by the timer, or reset by the plugin, which is another way to hang up.
  } finally {
    clearTimeout(timer);
  }
  return { refused };
}

/** Keeps the file open that the plugin named, so that it sees which process this is. */
function show(proof: string | undefined): Deno.FsFile | undefined {
  try {
    return proof === undefined ? undefined : Deno.openSync(proof);
  } catch {
    return undefined; // The plugin then says why it runs no calls.
  }
}

/** An MCP server without tools in place of the plugin, for a codex that a person started. */
async function withoutPlugin(reason: string): Promise<Sink> {
  say(`mcp-host: no host tools: ${reason}`);
  const { mcpServer } = await import("./server/mcp_server.ts");
  const server = mcpServer({
    version: "0",
    tools: () => Promise.resolve([]),
    call: () => Promise.reject(new Error("there are no tools")),
    onOddity: () => {},
  }, (bytes) => writeAll(Deno.stdout, bytes));
  return (chunk) => server.take(chunk);
}

async function readStdin(sink: () => Sink): Promise<void> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const read = await Deno.stdin.read(buffer);
    if (read === null) return;
    await sink()(buffer.subarray(0, read));
  }
}

async function copyToStdout(plugin: Deno.Conn, first: Uint8Array): Promise<void> {
  await writeAll(Deno.stdout, first);
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const read = await plugin.read(buffer);
    if (read === null) return;
    await writeAll(Deno.stdout, buffer.subarray(0, read));
  }
}

async function writeAll(
  to: { write(bytes: Uint8Array): Promise<number> },
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

/** The exit code after an error: that a side is gone is an ordinary end. */
function failed(error: unknown): number {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  if (error instanceof BrokenPipe || error instanceof ConnectionReset) return 0;
  say(`mcp-host: ${errorMessage(error)}`);
  return 1;
}

function say(line: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(line + "\n"));
  } catch {
    // Nobody reads stderr.
  }
}
