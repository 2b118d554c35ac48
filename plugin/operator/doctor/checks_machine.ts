/**
 * Checks of what the machine offers: sockets, our own relay, space.
 *
 * @module
 */
import { openBridge } from "../../../mcp_host/bridge.ts";
import { makeSocketDirectory } from "../../../mcp_host/listener/socket_dir.ts";
import { codexHome } from "../../../runner/codex/environment.ts";
import { errorMessage } from "../../../base/error_message.ts";
import { VERSION } from "../../version.ts";
import { type Check, fail, type Finding, ok, warn, type World } from "./check.ts";
import { environmentOf } from "./checks_codex.ts";
import { askRelay } from "./relay_client.ts";
import { programOutput } from "../cli/program_output.ts";
import { exists } from "../setup/step.ts";

/** Below this much free space the next long session may not fit. */
const LOW_KIB = 1024 * 1024;
const EMPTY_KIB = 50 * 1024;
const ANSWER = "the relay works";

/** In the order in which one would look. */
export const MACHINE_CHECKS: readonly Check[] = [
  { id: "runtime_directory", run: runtime },
  { id: "mcp_host", run: mcpHost },
  { id: "disk_space", run: space },
];

function runtime({ runtimeDirectory, environment }: World): Finding {
  const remedy = "Set XDG_RUNTIME_DIR to a directory of this user with a short path, mode 0700.";
  const wished = ["XDG_RUNTIME_DIR", "TMPDIR"].find((name) => (environment[name] ?? "") !== "");
  try {
    const { socket, remove } = makeSocketDirectory(runtimeDirectory);
    remove();
    if (wished === undefined || environment[wished] === runtimeDirectory) {
      return ok(runtimeDirectory, `a socket's path there has ${bytes(socket)} of 107 bytes`);
    }
    return warn(
      `${wished} is passed over, ${runtimeDirectory} is used`,
      remedy,
      `${wished} must be absolute and leave room for a socket's name: ${environment[wished]}`,
    );
  } catch (error) {
    return fail("host tools have no place for their socket", remedy, errorMessage(error));
  }
}

/** The whole way that codex goes: our executable as MCP server, the socket, the tool. */
async function mcpHost({ runtimeDirectory, executable, environment }: World): Promise<Finding> {
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
      return fail("the relay answered something else", "Reinstall the plugin.", answer);
    } finally {
      await bridge.close();
    }
  } catch (error) {
    return fail(
      "codex could not reach the host's tools",
      "See runtime_directory; where that is fine, reinstall the plugin.",
      errorMessage(error),
    );
  }
}

async function space(world: World): Promise<Finding> {
  const { paths, environment } = world;
  const home = codexHome(environmentOf(world, { env: {}, pathDirectory: undefined }));
  const places = [paths.profile, home].filter(exists);
  if (places.length === 0) return ok("nothing is there yet");
  const { code, stdout, stderr } = await programOutput("df", ["-Pk", ...places], {
    env: { ...environment, LC_ALL: "C" },
    timeoutMs: 5_000,
  });
  const free = stdout.split("\n").slice(1).map((line) => Number(line.split(/\s+/)[3]));
  if (code !== 0 || free.some((kib) => !Number.isFinite(kib))) {
    return warn("the free space is not known", "Look yourself: df", stderr);
  }
  const least = Math.min(...free);
  const text = `${(least / LOW_KIB).toFixed(1)} GiB free`;
  const remedy = `Make room where ${places.join(" and ")} are.`;
  if (least < EMPTY_KIB) return fail(text, remedy);
  return least < LOW_KIB ? warn(text, remedy) : ok(text);
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
