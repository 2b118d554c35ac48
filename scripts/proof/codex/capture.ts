/**
 * Runs a codex by itself, without the plugin, through every scenario, and keeps what it printed, how
 * it ended and what it recorded.
 */
import { join } from "@std/path";
import { type Bridge, openBridge } from "../../../mcp_host/bridge.ts";
import { hostToolsConfig } from "../../../runner/exec/argv.ts";
import { executable } from "../../../tests/support/checkout.ts";
import { codexBinary } from "../../../tests/support/codex.ts";
import { runCodex } from "../../../tests/support/codex_run.ts";
import type { ModelRequest } from "../../../tests/support/model/request.ts";
import { walkFiles } from "../../../tests/support/files.ts";
import { openSandbox, type Sandbox } from "../../../tests/support/sandbox.ts";
import { catalogueOf, factsOf, type Models, modelsIn, toolsIn } from "./facts.ts";
import { CODEX_SCENARIOS, type CodexRun, type CodexScenario } from "./scenarios.ts";
import { ShapeCollector } from "./shape.ts";
import type { VersionShape } from "./version_shape.ts";

/** What came of one scenario; text as it is kept. */
export interface Captured {
  name: string;
  stdout: string;
  stderr: string;
  /** Exit codes of its runs, or `signal NAME`, with spaces between. */
  exit: string;
  rollout: string;
}

/** Runs the scenarios, three at a time; all of them take ten to twenty seconds. */
export async function capture(
  version: string,
  scenarios: readonly CodexScenario[] = CODEX_SCENARIOS,
): Promise<{ captured: Captured[]; shape: VersionShape }> {
  const { native } = await codexBinary(version);
  const models = modelsIn(await catalogueOf(native));
  const tools = new Set<string>();
  const queue = [...scenarios];
  const captured: Captured[] = [];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { asked, ...kept } = await play(native, models, next);
      captured.push(kept);
      if (next.name === "default-text" && asked[0]) {
        tools.add(`the default model is ${asked[0].model}`);
        for (const tool of toolsIn(asked[0])) tools.add(tool);
      }
    }
  };
  await Promise.all([work(), work(), work()]);
  captured.sort((a, b) => a.name < b.name ? -1 : 1);

  const [stdout, rollout] = [new ShapeCollector(), new ShapeCollector()];
  for (const run of captured) {
    for (const line of jsonLines(run.stdout)) stdout.stdout(line);
    for (const line of jsonLines(run.rollout)) rollout.rollout(line);
  }
  const facts = { "default model": [...tools].sort(), ...await factsOf(native) };
  return {
    captured,
    shape: { version, stdout: stdout.shapes(), rollout: rollout.shapes(), facts },
  };
}

/** Writes what was captured, in place of what was there of these scenarios. */
export function writeFixtures(folder: string, captured: readonly Captured[]): void {
  for (const { name, stdout, stderr, exit, rollout } of captured) {
    Deno.mkdirSync(join(folder, name), { recursive: true });
    const write = (file: string, text: string) =>
      Deno.writeTextFileSync(join(folder, name, file), text);
    write("stdout.jsonl", stdout);
    write("stderr.txt", stderr);
    write("exit", exit + "\n");
    write("rollout.jsonl", rollout);
  }
}

async function play(
  native: string,
  models: Models,
  scenario: CodexScenario,
): Promise<Captured & { asked: ModelRequest[] }> {
  await using sandbox = await openSandbox({ binary: native });
  await useDefaultModel(sandbox);
  await using bridge = await echoBridge(sandbox);
  const ended: Ended[] = [];
  let thread: string | undefined;
  for (const run of scenario.runs) {
    const end = await start(sandbox, models, bridge, run, scenario.name, thread);
    thread = jsonLines(end.stdout).map(threadOf).find((id) => id !== undefined) ?? thread;
    ended.push(end);
  }
  const files = [...walkFiles(join(sandbox.codexHome, "sessions"))];
  const own = files.find((path) => thread !== undefined && path.includes(thread)) ?? files[0];
  const rollout = own === undefined ? "" : await Deno.readTextFile(own);
  const kept = (text: string) => neutral(text, sandbox);
  return {
    name: scenario.name,
    stdout: kept(ended.map(({ stdout }) => stdout).join("")),
    stderr: kept(ended.map(({ stderr }) => stderr).join("")),
    exit: ended.map(({ exit }) => exit).join(" "),
    rollout: kept(rollout),
    asked: [...sandbox.model.asked],
  };
}

/** Takes the model's name out of codex's configuration, so that it is the version's own. */
async function useDefaultModel(sandbox: Sandbox): Promise<void> {
  const path = join(sandbox.codexHome, "config.toml");
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace(/^model = .*\n/m, ""));
}

async function echoBridge(sandbox: Sandbox): Promise<Bridge & AsyncDisposable> {
  const { command, args } = await executable();
  const bridge = await openBridge({
    agentId: "cx",
    tools: [{ name: "echo", description: "Echoes.", inputSchema: { type: "object" } }],
    executable: [command, ...args],
    runtimeDir: sandbox.runtime,
    toolTimeoutMs: 60_000,
    resultMaxBytes: 1_000_000,
  }, { omitToolsFrom: true });
  bridge.attach({
    onStatus: () => {},
    call: ({ arguments: args }) => {
      const text = args.member("text")?.value;
      return Promise.resolve({
        content: [{ type: "text", text: `${text}` }],
        isError: text === "fail",
      });
    },
  });
  return Object.assign(bridge, { [Symbol.asyncDispose]: () => bridge.close() });
}

type Ended = Pick<Captured, "stdout" | "stderr" | "exit">;

async function start(
  sandbox: Sandbox,
  models: Models,
  bridge: Bridge,
  run: CodexRun,
  prompt: string,
  threadId: string | undefined,
): Promise<Ended> {
  const { model } = sandbox;
  model.setSteps(run.steps);
  const outputSchema = join(sandbox.temp, "schema.json");
  if (run.outputSchema) await Deno.writeTextFile(outputSchema, JSON.stringify(run.outputSchema));
  const { model: wanted = "plain" } = run;
  const before = model.asked.length;
  const child = await runCodex(sandbox, prompt, {
    threadId,
    model: typeof wanted === "object" ? wanted.name : models[wanted],
    sandbox: "workspace-write",
    outputSchema: run.outputSchema ? outputSchema : undefined,
    config: [
      // As codex is installed; the sandbox switches them off.
      "skills.bundled.enabled=true",
      ...bridge.access ? hostToolsConfig(bridge.access) : [],
      ...run.config ?? [],
    ],
  }, bridge.access?.env);
  const reading = child.output();
  if (run.interruptAfter !== undefined) {
    await model.received(before + run.interruptAfter);
    child.kill("SIGINT");
  }
  const { code, signal, stdout, stderr } = await reading;
  const decoder = new TextDecoder();
  return {
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
    exit: signal === null ? `${code}` : `signal ${signal}`,
  };
}

/** The longest string that is kept whole, in characters; of a longer one the first 160 are. */
const LONG = 500;

/** The text without this machine's paths, and with long strings cut; else byte for byte. */
function neutral(text: string, sandbox: Sandbox): string {
  const paths: [string, string][] = [
    [sandbox.workspace, "/workspace"],
    [sandbox.codexHome, "/codex-home"],
    [sandbox.root, "/sandbox"],
    [sandbox.binary, "/codex"],
  ];
  const short = text.replace(/"(?:[^"\\]|\\.)*"/g, (literal) => {
    if (literal.length <= LONG) return literal;
    const head = /^"(?:[^"\\]|\\u[0-9a-f]{4}|\\[^u]){0,160}/.exec(literal)?.[0] ?? '"';
    return `${head}…[cut, ${literal.length - 2} characters]"`;
  });
  return paths.reduce((text, [path, name]) => text.replaceAll(path, name), short)
    .replaceAll(`:${new URL(sandbox.model.url).port}`, ":1234");
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
