/**
 * Checks of what the machine offers: sockets, our own relay, space.
 *
 * @module
 */
import * as z from "zod/mini";
import { errorMessage } from "../../../base/error_message.ts";
import { exists } from "../../../base/files.ts";
import { LineSplitter } from "../../../base/lines.ts";
import { runProgram } from "../../../base/program.ts";
import { openBridge } from "../../../mcp_host/bridge.ts";
import { makeSocketDirectory } from "../../../mcp_host/listener/socket_dir.ts";
import { VERSION } from "../../self.ts";
import { type Check, type DoctorContext, fail, type Finding, ok, warn } from "./check.ts";

/** Below this much free space the next long session may not fit. */
const LOW_KIB = 1024 * 1024;
const EMPTY_KIB = 50 * 1024;
const ANSWER = "the relay works";

/** In the order in which one would look. */
export const MACHINE_CHECKS: readonly Check[] = [
  { id: "runtime_directory", group: "machine", run: runtime },
  { id: "mcp_host", group: "machine", needs: ["runtime_directory"], run: mcpHost },
  { id: "disk_space", group: "machine", run: space },
];

function runtime({ facts: { runtimeDirectory, environment } }: DoctorContext): Finding {
  const remedy = "Set XDG_RUNTIME_DIR to a directory of this user with a short path, mode 0700.";
  const wished = environment.XDG_RUNTIME_DIR ?? "";
  try {
    const { socket, remove } = makeSocketDirectory(runtimeDirectory);
    remove();
    if (wished !== "" && wished !== runtimeDirectory) {
      return warn(`XDG_RUNTIME_DIR is passed over, ${runtimeDirectory} is used`, {
        detail:
          `XDG_RUNTIME_DIR must exist, be absolute and leave room for a socket's name: ${wished}`,
        remedy,
      });
    }
    if (wished === "" && [environment.TMPDIR, "/tmp", "/var/tmp"].includes(runtimeDirectory)) {
      return warn(`the sockets of host tools lie in ${runtimeDirectory}, where agents may write`, {
        detail: "the state directory of the plugin has too long a path, or takes no sockets",
        remedy,
      });
    }
    const length = new TextEncoder().encode(socket).length;
    return ok(runtimeDirectory, `a socket's path there has ${length} of 107 bytes`);
  } catch (error) {
    return fail("host tools have no place for their socket", {
      detail: errorMessage(error),
      remedy,
    });
  }
}

/** The whole way that codex goes: our executable as MCP server, the socket, the tool. */
async function mcpHost(context: DoctorContext): Promise<Finding> {
  const { runtimeDirectory, executable, environment } = context.facts;
  const reinstall = { remedy: "Install it again:", command: context.command("install") };
  const started = performance.now();
  try {
    const bridge = await openBridge({
      agentId: "doctor",
      tools: [{ name: "ping", description: "Answers.", inputSchema: { type: "object" } }],
      executable,
      version: VERSION,
      runtimeDir: runtimeDirectory,
      toolTimeoutMs: 10_000,
      resultMaxBytes: 65_536,
    }, { omitToolsFrom: true });
    bridge.attach({
      call: () => Promise.resolve({ content: [{ type: "text", text: ANSWER }] }),
      onStatus: () => {},
    });
    try {
      const answer = await askRelay([...executable, "mcp-host"], {
        ...environment,
        ...bridge.access?.env,
      });
      const ms = Math.round(performance.now() - started);
      if (answer === ANSWER) return ok(`a tool call went through a real socket in ${ms} ms`);
      return fail("the relay answered something else", { detail: answer, ...reinstall });
    } finally {
      await bridge.close();
    }
  } catch (error) {
    return fail("codex could not reach the host's tools", {
      detail: errorMessage(error),
      ...reinstall,
    });
  }
}

async function space(context: DoctorContext): Promise<Finding> {
  const { paths, environment, config } = context.facts;
  const homes = ["", ...Object.keys(config.agents)].map((agentId) => context.codexHome(agentId));
  const places = [...new Set([paths.profile, ...homes])].filter(exists);
  if (places.length === 0) return ok("nothing is there yet");
  const free = await freeKib(places, environment).catch(errorMessage);
  if (typeof free === "string") {
    return warn("the free space is not known", { detail: free, command: "df -h" });
  }
  const text = `${(free / LOW_KIB).toFixed(1)} GiB free`;
  const more = { remedy: `Make room where ${places.join(" and ")} are.` };
  if (free < EMPTY_KIB) return fail(text, more);
  return free < LOW_KIB ? warn(text, more) : ok(text);
}

/** The least that is free in any of the places. */
async function freeKib(places: string[], environment: Record<string, string>): Promise<number> {
  const env = { ...environment, LC_ALL: "C" };
  const { stdout } = await runProgram("df", ["-Pk", ...places], { env, timeMs: 5_000 });
  const free = stdout.trim().split("\n").slice(1).map((line) => Number(line.split(/\s+/)[3]));
  if (free.length === places.length && free.every(Number.isFinite)) return Math.min(...free);
  throw new Error(`df answered: ${stdout.slice(0, 200)}`);
}

/*
 * As much of an MCP client as it takes to see that the relay works: handshake, one call.
 */

const Answer = z.looseObject({
  id: z.optional(z.unknown()),
  result: z.optional(z.looseObject({
    content: z.optional(z.array(z.looseObject({ text: z.optional(z.string()) }))),
  })),
});

const TIMEOUT_MS = 15_000;
const MAX_LINE = 1024 * 1024;

/**
 * Starts the relay as codex would and calls the tool `ping`.
 * @returns The text of the tool's answer.
 * @throws {Error} with what the relay said on stderr where it does not answer.
 */
async function askRelay(
  [command = "", ...args]: readonly string[],
  env: Record<string, string>,
): Promise<string> {
  const child = new Deno.Command(command, {
    args,
    cwd: "/",
    env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).spawn();
  const said = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  let answer: string | undefined;
  try {
    const lines = conversation().map((message) => JSON.stringify({ jsonrpc: "2.0", ...message }));
    await writer.write(new TextEncoder().encode(lines.join("\n") + "\n"));
    answer = await answerTo(3, child.stdout);
  } catch {
    // It ended before it took or answered anything; stderr says why.
  } finally {
    await writer.close().catch(() => {});
  }
  const { code, signal } = await child.status;
  const stderr = (await said).trim();
  if (answer !== undefined) return answer;
  throw new Error(`the relay ended (${signal ?? `exit ${code}`}) without an answer: ${stderr}`);
}

function conversation(): Record<string, unknown>[] {
  const clientInfo = { name: "doctor", version: "1" };
  return [
    {
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo },
    },
    { method: "notifications/initialized" },
    { id: 2, method: "tools/list" },
    { id: 3, method: "tools/call", params: { name: "ping", arguments: {} } },
  ];
}

async function answerTo(
  id: number,
  stdout: ReadableStream<Uint8Array>,
): Promise<string | undefined> {
  const splitter = new LineSplitter(MAX_LINE);
  for await (const chunk of stdout) {
    for (const line of splitter.push(chunk)) {
      if (line.overlong !== undefined) continue;
      const text = new TextDecoder().decode(line.bytes);
      const message = z.parse(Answer, JSON.parse(text));
      if (message.id === id) return message.result?.content?.[0]?.text ?? text;
    }
  }
  return undefined;
}
