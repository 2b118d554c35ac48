/**
 * Runs a codex by itself, without the plugin, through everything that makes it print and record
 * different lines, and collects their shapes.
 *
 * @module
 */
import { join } from "@std/path";
import { walkFiles } from "./files.ts";
import { codexArgs, hostToolsConfig } from "../../../runner/exec/argv.ts";
import { codexBinary } from "../../../tests/support/codex.ts";
import { openSandbox, type Sandbox } from "../../../tests/support/sandbox.ts";
import { executable } from "../../../tests/support/checkout.ts";
import { type Bridge, openBridge } from "../../../mcp_host/bridge.ts";
import { flagsIn } from "./help.ts";
import { type Probe, PROBES } from "./probes.ts";
import { ShapeCollector } from "./shape.ts";
import type { VersionShape } from "./version_shape.ts";

/** Runs every probe; takes some seconds. */
export async function probeVersion(version: string): Promise<VersionShape> {
  const { native } = await codexBinary(version);
  await using sandbox = await openSandbox({ binary: native });
  const program = await executable();
  const bridge = await openBridge({
    agentId: "cx",
    tools: [{ name: "echo", description: "Echoes.", inputSchema: { type: "object" } }],
    executable: [program.command, ...program.args],
    runtimeDir: sandbox.runtime,
    toolTimeoutMs: 60_000,
    resultMaxBytes: 1_000_000,
  }, { omitToolsFrom: true });
  bridge.attach({
    onStatus: () => {},
    call: ({ arguments: { text } }) =>
      Promise.resolve({ content: [{ type: "text", text: `${text}` }], isError: text === "fail" }),
  });
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => bridge.close());
  const stdout = new ShapeCollector();
  let thread: string | undefined;
  for (const probe of PROBES) {
    const lines = await run(native, sandbox, bridge, probe, probe.resume ? thread : undefined);
    for (const line of lines) stdout.stdout(line);
    thread = lines.map(threadOf).find((id) => id !== undefined) ?? thread;
  }
  const rollout = new ShapeCollector();
  for (const path of walkFiles(join(sandbox.codexHome, "sessions"))) {
    for (const line of jsonLines(await Deno.readTextFile(path))) rollout.rollout(line);
  }
  const flags = {
    "exec": flagsIn(await output(native, ["exec", "--help"], sandbox)),
    "exec resume": flagsIn(await output(native, ["exec", "resume", "--help"], sandbox)),
  };
  return { version, stdout: stdout.shapes(), rollout: rollout.shapes(), flags };
}

async function run(
  native: string,
  sandbox: Sandbox,
  bridge: Bridge,
  probe: Probe,
  threadId: string | undefined,
): Promise<unknown[]> {
  const { model, workspace } = sandbox;
  model.setSteps(probe.steps);
  const args = codexArgs({
    cwd: workspace,
    threadId,
    model: probe.model,
    sandbox: "workspace-write",
    writableRoots: [],
    networkAccess: false,
    extraArgs: [],
    images: [],
    config: [...bridge.access ? hostToolsConfig(bridge.access) : [], ...probe.config ?? []],
  });
  const before = model.asked.length;
  const child = new Deno.Command(native, {
    args,
    clearEnv: true,
    env: { ...sandbox.env, ...bridge.access?.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const prompt = child.stdin.getWriter();
  await prompt.write(new TextEncoder().encode(probe.name));
  await prompt.close();
  const reading = child.output();
  if (probe.interruptAfter !== undefined) {
    await model.received(before + probe.interruptAfter);
    child.kill("SIGINT");
  }
  return jsonLines(new TextDecoder().decode((await reading).stdout));
}

async function output(native: string, args: string[], sandbox: Sandbox): Promise<string> {
  const command = new Deno.Command(native, { args, clearEnv: true, env: sandbox.env });
  return new TextDecoder().decode((await command.output()).stdout);
}

function jsonLines(text: string): unknown[] {
  return text.split("\n").filter((line) => line.trim() !== "").map((line): unknown =>
    JSON.parse(line)
  );
}

function threadOf(line: unknown): string | undefined {
  const { type, thread_id } = line as { type?: unknown; thread_id?: unknown };
  return type === "thread.started" && typeof thread_id === "string" ? thread_id : undefined;
}
