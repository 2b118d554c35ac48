/**
 * The plugin as a host starts it: JSON-RPC on stdin and stdout until stdin ends or a signal comes,
 * then an orderly stop with nothing left running.
 *
 * @module
 */
import { errorMessage } from "../base/error_message.ts";
import { FrameWriter } from "../base/jsonrpc/frame.ts";
import { Peer } from "../base/jsonrpc/peer.ts";
import { runProgram } from "../base/program.ts";
import { within } from "../base/timer.ts";
import { ConfigFile } from "./config/config.ts";
import { Log } from "./log.ts";
import { lastingRuntimeDirectory, profilePaths, profileRoot } from "./profile.ts";
import { METHOD } from "./protocol.ts";
import type { Provider } from "./provider.ts";
import { VERSION } from "./self.ts";
import { HOST_LIMITS, Session } from "./session.ts";

/** How long a stop may take beyond the configured grace, before everything left is killed. */
const STOP_MARGIN_MS = 5_000;
/** How long the turns may then take to tell their end; on a machine that is very busy they need it. */
const KILLED_MS = 15_000;
const FLUSH_MS = 1_000;
const LOOK_MS = 1_000;
const CHUNK_BYTES = 64 * 1024;

/**
 * Serves one host and returns the exit code.
 * @param executable How to start this program: its path and leading arguments.
 */
export async function serve(executable: readonly string[]): Promise<number> {
  const env = (name: string) => Deno.env.get(name);
  const paths = profilePaths(profileRoot(env));
  const hostGone = Promise.withResolvers<void>();
  const writer = new FrameWriter(async (bytes) => {
    try {
      await writeAll(bytes);
    } catch (error) {
      hostGone.resolve();
      throw error;
    }
  });
  const log = new Log("info", (line) => void peer.notify(METHOD.log, line));
  // One turn's defect must not end the turns of all other agents.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.write("error", "unhandled failure", { error: errorMessage(event.reason) });
  });
  const config = new ConfigFile(paths.config, (message) => log.write("warning", message));
  let provider: Provider | undefined;
  const session: Session = new Session(config, log, async () => {
    // The largest part of the program, which the answer to `initialize` need not wait for.
    const { Provider } = await import("./provider.ts");
    return provider = new Provider({
      peer,
      config,
      paths,
      runtimeDirectory: lastingRuntimeDirectory(env, paths.state),
      environment: Deno.env.toObject(),
      executable,
      version: VERSION,
      log,
    });
  });
  const peer: Peer = new Peer(writer, session, HOST_LIMITS);

  await Promise.race([peer.run(stdin()), hostGone.promise, signalled()]);
  peer.close("the plugin is stopping");
  if (provider !== undefined) {
    const closed = provider.close().catch((error) =>
      log.write("warning", "not all was ended in order", { error: errorMessage(error) })
    );
    await within(config.current().timeouts.grace_ms + STOP_MARGIN_MS, closed);
    // After an orderly end there is nothing to kill.
    await within(KILLED_MS, Promise.all([provider.kill(), closed]));
  }
  await within(FLUSH_MS, writer.flushed());
  return 0;
}

/**
 * Resolves at the first SIGTERM or SIGINT, or SIGHUP: a terminal that closes sends it to all that runs in it,
 * and only an orderly end leaves nothing of codex behind.
 */
function signalled(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const name of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(name, resolve);
  Deno.addSignalListener("SIGHUP", async () => {
    if (!await hostIgnoresHangup()) resolve();
  });
  return promise;
}

/**
 * Whether the host is to outlive the terminal (`nohup`), so that we are, too. Where nobody can tell, it is
 * taken to be so: when it does not, our stdin ends.
 */
async function hostIgnoresHangup(): Promise<boolean> {
  try {
    const args = ["^SigIgn:", `/proc/${Deno.ppid}/status`];
    const { code, stdout } = await runProgram("grep", args, { timeMs: LOOK_MS, lookup: true });
    return code !== 0 || (parseInt(stdout.trim().slice(-1), 16) & 1) === 1;
  } catch {
    return true;
  }
}

/** The bytes of stdin; a chunk is valid until the next is asked for. */
async function* stdin(): AsyncGenerator<Uint8Array> {
  // Not `Deno.stdin.readable`: setting up a web stream delays the first answer.
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const length = await Deno.stdin.read(buffer);
    if (length === null) return;
    yield buffer.subarray(0, length);
  }
}

async function writeAll(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}
