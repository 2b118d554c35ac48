/**
 * The demo's stage: a throw-away Plexum profile with the executable dropped into it, a codex, and a
 * host that has started the plugin. All of it is gone when the stage is disposed of.
 */
import { join, resolve } from "@std/path";
import { EXECUTABLE_NAME } from "../../plugin/self.ts";
import { METHOD, type Tool } from "../../plugin/protocol.ts";
import type { ScriptedStep } from "../../tests/support/model/step.ts";
import { codexBinary, NEWEST_CODEX } from "../../tests/support/codex.ts";
import { type Host, startHost } from "../../tests/support/host.ts";
import { openSandbox, type Sandbox } from "../../tests/support/sandbox.ts";
import { type EventOf, type Turn } from "../../tests/support/turn.ts";
import type { InitializeResult } from "../../tests/support/wire.ts";
import { type Executable, executable } from "../../tests/support/checkout.ts";
import { speechless } from "./model.ts";
import * as transcript from "./transcript.ts";

/** One turn that was played to its end. */
export interface Played {
  turn: Turn;
  end: EventOf<"message_end">;
  /** Until codex had taken the turn. */
  startMs: number;
}

/** Everything an act needs. */
export interface Stage extends AsyncDisposable {
  sandbox: Sandbox;
  host: Host;
  plugin: InitializeResult;
  /** What codex says of itself, and where it lies. */
  codex: string;
  /** Whether the model is the scripted one; a real model says what it likes. */
  scripted: boolean;
  /** Asks for a turn, shows its events as they come; throws when it does not end well. */
  say(text: string, script: ScriptedStep[], tools?: Tool[]): Promise<Played>;
}

/** Sets the stage. `codex` is the path of an own codex, with which the real model is used. */
export async function setStage(codex: string | undefined): Promise<Stage> {
  const program = await executable();
  const binary = codex === undefined ? (await codexBinary(NEWEST_CODEX)).native : resolve(codex);
  const version = await versionOf(binary);
  const sandbox = await openSandbox({ binary, fallback: speechless });
  try {
    const log = "04:10 fog from the west\n04:40 horn started\n05:25 fog lifting\n";
    await Deno.writeTextFile(join(sandbox.workspace, "log.txt"), log);
    await Deno.writeTextFile(join(sandbox.workspace, "notes.md"), "# Night watch\n");
    const command = await install(program, sandbox);
    // The real model needs the user's own login, proxy settings and the like.
    const { HOME: _home, CODEX_HOME: _codexHome, ...ours } = sandbox.env;
    const env = codex === undefined ? sandbox.env : { ...Deno.env.toObject(), ...ours };
    const host = await startHost({ command, env, cwd: sandbox.root });
    const plugin = await host.initialize();
    return {
      ...{ sandbox, host, plugin, scripted: codex === undefined },
      codex: codex === undefined ? `${version}, from npm` : `${version}, ${binary}`,
      say: (text, script, tools) => say(host, sandbox, text, script, tools),
      async [Symbol.asyncDispose]() {
        try {
          await host[Symbol.asyncDispose]();
        } finally {
          await sandbox[Symbol.asyncDispose]();
        }
      },
    };
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}

/** Drops the executable into the profile, beside its manifest, as an operator does. */
async function install(
  program: Executable,
  sandbox: Sandbox,
): Promise<{ command: string; args: string[] }> {
  const folder = join(sandbox.profile, "plugins", "plexum-openai-provider");
  const manifest = await new Deno.Command(program.command, {
    args: [...program.args, "manifest"],
    env: sandbox.env,
    clearEnv: true,
  }).output();
  if (!manifest.success) {
    throw new Error(`\`manifest\` failed: ${new TextDecoder().decode(manifest.stderr)}`);
  }
  await Deno.writeFile(join(folder, "manifest.json"), manifest.stdout);
  if (!program.compiled) return program;
  const command = join(folder, EXECUTABLE_NAME);
  // A second name for the same file is enough, where the file system allows it.
  await Deno.link(program.command, command).catch(() => Deno.copyFile(program.command, command));
  return { command, args: [] };
}

async function versionOf(binary: string): Promise<string> {
  try {
    const { stdout } = await new Deno.Command(binary, { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).trim();
  } catch (error) {
    throw new Error(`Cannot start the codex at ${binary}`, { cause: error });
  }
}

async function say(
  host: Host,
  sandbox: Sandbox,
  text: string,
  script: ScriptedStep[],
  tools: Tool[] = [],
): Promise<Played> {
  transcript.says(text);
  sandbox.model.setSteps(script);
  const begun = performance.now();
  const turn = host.stream({
    model: "codex",
    agent: { agent_id: "keeper", workspace: sandbox.workspace },
    session_id: "demo",
    request: { messages: [{ role: "user", content: text }], tools },
  });
  let startMs = NaN;
  for await (const event of turn.events) {
    const ms = performance.now() - begun;
    if (event.type === "message_start") startMs = ms;
    transcript.event(ms, event);
  }
  const [end, error] = [await turn.end(), turn.of("error")[0]?.error];
  if (end.stop_reason !== "end_turn") {
    throw new Error(
      `the turn ended with ${end.stop_reason}: ${error?.message} ${error?.hint ?? ""}`,
    );
  }
  await turn.result;
  return { turn, end, startMs };
}

/** The method by which the plugin calls a tool of the host. */
export const HOST_TOOL_CALL = METHOD.hostToolCall;
/** The method by which old tool output is let go. */
export const MUTATE = METHOD.mutate;
