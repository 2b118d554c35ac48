/**
 * `turn`: one turn without a host. Our runner is used as the plugin uses it, in this process.
 *
 * @module
 */
import { resolve } from "@std/path";
import { StateStore } from "../../../rollout/state/state.ts";
import { familyOf, sendSignal } from "../../../runner/process/process_family.ts";
import { processTable } from "../../../runner/process/process_table.ts";
import { Transports } from "../../../runner/transports.ts";
import { runTurn } from "../../../runner/turn.ts";
import { type StopReason, TurnError } from "../../../runner/turn_event.ts";
import type { TurnContext, TurnRequest } from "../../../runner/turn_request.ts";
import { TurnStream, type TurnStreamOptions } from "../../../runner/turn_stream.ts";
import { loadConfig } from "../../config/config.ts";
import { codexModel, turnSettings } from "../../config/settings.ts";
import { LogFile } from "../../log.ts";
import { runtimeDirectory } from "../../profile.ts";
import { self, VERSION } from "../../self.ts";
import { TestedCodex } from "../../tested_codex.ts";
import { type Arguments, directoryOf, profileOf, UsageError } from "../cli/arguments.ts";
import { EXIT } from "../cli/command.ts";
import {
  columns,
  complain,
  paintFor,
  printable,
  printJson,
  write,
  writeError,
} from "../cli/terminal.ts";
import { Progress } from "../cli/text.ts";
import { readCannedTools } from "./canned_tools.ts";
import { TurnView } from "./turn_view.ts";

/** `turn`. */
export async function turn(args: Arguments): Promise<number> {
  const paths = profileOf(args);
  const { config, warnings } = loadConfig(paths.config);
  for (const warning of warnings) complain(`warning: ${printable(warning)}`);
  const model = args.text("model") ?? "codex";
  const agentId = agentOf(args);
  const canned = args.text("tools");
  const tools = canned === undefined ? undefined : readCannedTools(canned);
  using file = new LogFile(args.text("log-file"), config.log_level);
  const { log } = file;
  const request: TurnRequest = {
    agentId,
    workspace: workspaceOf(args),
    cwd: resolve(args.text("workspace") ?? "."),
    model: codexModel(config, model),
    text: await promptOf(args),
    // Relative to where we are, not to the workspace.
    images: args.all("image").map((path) => ({ path: resolve(path) })),
    system: undefined,
    outputSchema: undefined,
    history: [],
    tools: tools?.tools ?? [],
    callTool: (call) => tools?.call(call) ?? Promise.reject(new Error("there are no tools")),
  };
  const transports = new Transports(paths.running, (message) => log.write("warning", message));
  const store = new StateStore(paths.state, {
    onWarning: (message) => log.write("warning", message),
  });
  const context: TurnContext = {
    transports,
    settings: turnSettings(config, model, agentId),
    environment: Deno.env.toObject(),
    runningDirectory: paths.running,
    runtimeDirectory: runtimeDirectory((name) => Deno.env.get(name), paths.state),
    store,
    sessionFile: false,
    hasPassed: (codex) => new TestedCodex(paths.state).at(codex) !== undefined,
    executable: self(Deno.mainModule),
    version: VERSION,
    log: (level, message, data) => log.write(level, message, data),
  };
  const told = {
    agentId,
    model,
    log: context.log,
    logsEvents: () => log.level === "debug",
  };
  try {
    const ended = args.has("json")
      ? await asJson(request, context, told)
      : await forPeople(request, context, told, args.has("quiet"));
    return ended === "refused" ? EXIT.failed : exitOf(ended);
  } finally {
    await transports.close();
    await context.store.saved();
  }
}

type Told = Omit<TurnStreamOptions, "send">;
type Ended = StopReason | "refused";

/** One event per line, as the host gets them. */
async function asJson(request: TurnRequest, context: TurnContext, told: Told): Promise<Ended> {
  using interrupt = new Interrupt(() => complain("cancelling ... (Ctrl-C again kills)"));
  const show = (event: unknown) => Promise.resolve(printJson(event));
  const stream = new TurnStream({ ...told, send: show });
  try {
    return (await runTurn(request, context, stream, interrupt.signal)).stop_reason;
  } catch (error) {
    if (!(error instanceof TurnError)) throw error;
    show({ type: "error", error: error.failure });
    return "refused";
  }
}

async function forPeople(
  request: TurnRequest,
  context: TurnContext,
  told: Told,
  quiet: boolean,
): Promise<Ended> {
  using progress = new Progress();
  const view = new TurnView({
    out: write,
    err: writeError,
    together: Deno.stdout.isTerminal() && Deno.stderr.isTerminal(),
    quiet,
    progress,
    paint: paintFor(Deno.stderr),
    columns: () => columns(Deno.stderr),
  });
  using interrupt = new Interrupt(() => view.cancelling());
  const stream = new TurnStream({
    ...told,
    send: (event) => Promise.resolve(view.show(event)),
  });
  try {
    const end = await runTurn(request, context, stream, interrupt.signal);
    view.close(stream.summary);
    return end.stop_reason;
  } catch (error) {
    if (!(error instanceof TurnError)) throw error;
    view.show({ type: "error", error: error.failure });
    return "refused";
  }
}

function exitOf(stopReason: StopReason): number {
  switch (stopReason) {
    case "end_turn":
    case "max_tokens":
      return EXIT.ok;
    case "cancelled":
      return EXIT.interrupted;
    case "error":
      return EXIT.failed;
  }
}

/*
 * What a turn by hand is about, as it was typed: whose thread, where, and the prompt.
 */

/** Longest prompt that is read from stdin. */
const STDIN_MAX = 16 * 1024 * 1024;

/** Turns by hand have threads of their own, unless an agent's is asked for. */
function agentOf(args: Arguments): string {
  const agent = args.text("agent");
  const session = args.text("session");
  if (agent !== undefined && session !== undefined) {
    throw new UsageError("--agent and --session exclude each other");
  }
  return agent ?? `hand:${session ?? "default"}`;
}

/** The directory the turn works in, as it really is. */
function workspaceOf(args: Arguments): string {
  return Deno.realPathSync(directoryOf("workspace", args.text("workspace") ?? "."));
}

/** The words of the command line, else all of stdin. */
async function promptOf(args: Arguments): Promise<string> {
  const words = args.words.join(" ");
  if (words !== "" && words !== "-") return words;
  if (Deno.stdin.isTerminal()) throw new UsageError("PROMPT... is missing: type it, or pipe it in");
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of Deno.stdin.readable) {
    length += chunk.length;
    if (length > STDIN_MAX) throw new UsageError(`the prompt is longer than ${STDIN_MAX} bytes`);
    chunks.push(chunk);
  }
  const text = await new Blob(chunks as Uint8Array<ArrayBuffer>[]).text();
  if (text.trim() === "") throw new UsageError("PROMPT... is missing: stdin is empty");
  return text;
}

/*
 * Ctrl-C (or a closed terminal), as a host would cancel: the first time codex is asked to end and
 * gets its grace, the second time everything below us is killed.
 */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Listens until it is disposed of. */
class Interrupt implements Disposable {
  readonly #abort = new AbortController();
  readonly #asked: () => void;

  /** @param asked Called at the first Ctrl-C. */
  constructor(asked: () => void) {
    this.#asked = asked;
    for (const name of SIGNALS) Deno.addSignalListener(name, this.#signalled);
  }

  /** Aborted by the first Ctrl-C. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  readonly #signalled = (): void => {
    if (this.#abort.signal.aborted) return void killAll();
    this.#asked();
    this.#abort.abort();
  };

  [Symbol.dispose](): void {
    for (const name of SIGNALS) Deno.removeSignalListener(name, this.#signalled);
  }
}

async function killAll(): Promise<void> {
  const table = await processTable();
  // Not our own process group: in a pipeline others are in it.
  const children = table.filter(({ ppid }) => ppid === Deno.pid);
  for (const { pid } of children.flatMap((child) => familyOf(child.pid, table))) {
    sendSignal(pid, "SIGKILL");
  }
  Deno.exit(EXIT.interrupted);
}
