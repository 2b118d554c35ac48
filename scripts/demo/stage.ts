/**
 * The demo's stage: a lab whose plugin is the executable as an operator installs it, dropped into the
 * profile. All of it is gone when the lab is disposed of.
 */
import { join, resolve } from "@std/path";
import { EXECUTABLE_NAME } from "../../plugin/self.ts";
import type { Tool } from "../../plugin/protocol.ts";
import type { ScriptedStep, Step } from "../../tests/support/model/step.ts";
import { executable } from "../../tests/support/checkout.ts";
import { NEWEST_CODEX } from "../../tests/support/codex.ts";
import type { HostOptions } from "../../tests/support/host.ts";
import { Lab, type Played } from "../../tests/support/lab.ts";
import type { Sandbox } from "../../tests/support/sandbox.ts";
import { type ModelRequest, userTexts } from "../../tests/support/model/request.ts";
import * as transcript from "./transcript.ts";

/** Everything an act needs. */
export interface Stage {
  lab: Lab;
  /** What codex says of itself, and where it lies. */
  codex: string;
  /** Whether the model is the scripted one; a real model says what it likes. */
  scripted: boolean;
}

/** Sets the stage. `codex` is the path of an own codex, with which the real model is used. */
export async function setStage(codex: string | undefined): Promise<Stage> {
  const scripted = codex === undefined;
  const binary = scripted ? NEWEST_CODEX : resolve(codex);
  let version = "";
  const lab = await Lab.open(binary, {
    fallback: speechless,
    async prepare(sandbox) {
      version = await versionOf(sandbox.binary);
      const log = "04:10 fog from the west\n04:40 horn started\n05:25 fog lifting\n";
      await Deno.writeTextFile(join(sandbox.workspace, "log.txt"), log);
      await Deno.writeTextFile(join(sandbox.workspace, "notes.md"), "# Night watch\n");
      // The real model needs the user's own login, proxy settings and the like.
      const { HOME: _home, CODEX_HOME: _codexHome, ...ours } = sandbox.env;
      const env = scripted ? sandbox.env : { ...Deno.env.toObject(), ...ours };
      return { command: await install(sandbox), env, cwd: sandbox.root };
    },
  });
  return { lab, codex: `${version}, ${scripted ? "from npm" : binary}`, scripted };
}

/** For a question that no act has asked. */
function speechless(request: ModelRequest): Step {
  const last = userTexts(request).at(-1) ?? "";
  throw new Error(`the demo's model was asked more than its script holds: ${last.slice(0, 200)}`);
}

/** Drops the executable into the profile, beside its manifest, as an operator does. */
async function install(sandbox: Sandbox): Promise<NonNullable<HostOptions["command"]>> {
  const program = await executable();
  const folder = join(sandbox.state, "..");
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

/**
 * Asks for a turn, shows its events as they come; throws when it does not end well. `startMs` is until
 * codex had taken the turn.
 */
export async function say(
  lab: Lab,
  text: string,
  steps: ScriptedStep[],
  tools: Tool[] = [],
): Promise<Omit<Played, "asked"> & { startMs: number }> {
  transcript.says(text);
  const begun = performance.now();
  const turn = lab.start(text, { steps, tools });
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
