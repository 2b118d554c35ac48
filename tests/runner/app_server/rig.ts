/** A transport of its own in a sandbox, with a real codex or a fake one, and no turn around it. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { findCodex } from "../../../runner/codex/codex_binary.ts";
import { AppServerTransport } from "../../../runner/app_server/app_server.ts";
import { codexEnvironment } from "../../../runner/codex/environment.ts";
import { TurnFiles } from "../../../runner/process/turn_directory.ts";
import type { CodexEvent, RunInput, RunOutcome } from "../../../runner/transport.ts";
import { APP_SERVER_CODEX, codexBinary, NEWEST_CODEX, STAYING_CODEX } from "../../support/codex.ts";
import { within } from "../../support/deadline.ts";
import { openSandbox, type Sandbox, type SandboxOptions } from "../../support/sandbox.ts";
import { skipped } from "../../support/skipped.ts";
import { codexCanSandbox } from "../../support/user_namespaces.ts";

/** The versions that the app-server is used with. */
export const APP_SERVER_VERSIONS = [APP_SERVER_CODEX, NEWEST_CODEX]
  .filter((version) => STAYING_CODEX.includes(version));
/** Declares a test of a server that stays, where one can. */
export const test = skipped(
    STAYING_CODEX.length === 0,
    "a codex that stays between turns: there is no prlimit here",
  )
  ? Deno.test.ignore
  : Deno.test;

/** What a run came to. */
export interface Played {
  events: CodexEvent[];
  outcome: RunOutcome;
  threadId: string | undefined;
  /** The text of all messages, and of all pieces that were not taken back. */
  text: string;
  pieces: string;
}

/** A transport with its world. */
export class Rig implements AsyncDisposable {
  /** Called at the very end. */
  cleanUp: () => Promise<void> = () => Promise.resolve();

  private constructor(
    readonly sandbox: Sandbox,
    readonly transport: AppServerTransport,
    readonly base: Omit<RunInput, "files">,
    readonly running: string,
  ) {}

  static async open(
    binary: string,
    options: Omit<SandboxOptions, "binary"> = {},
    input: Partial<RunInput> = {},
  ): Promise<Rig> {
    const sandbox = await openSandbox({ binary, ...options });
    const running = join(sandbox.root, "running");
    Deno.mkdirSync(running);
    const codex = await findCodex(binary, sandbox.env);
    return new Rig(sandbox, new AppServerTransport(running, () => {}), {
      agentId: "cx",
      workspace: sandbox.workspace,
      cwd: sandbox.workspace,
      codex,
      codexHome: sandbox.codexHome,
      environment: codexEnvironment(sandbox.env, {}, codex),
      threadId: undefined,
      prompt: "go on",
      instructions: undefined,
      images: [],
      outputSchema: undefined,
      model: undefined,
      sandbox: codexCanSandbox() ? "workspace-write" : "danger-full-access",
      writableRoots: [],
      networkAccess: false,
      trustWorkspace: false,
      userMcpServers: "keep",
      extraArgs: [],
      hostTools: undefined,
      hasHostTools: () => true,
      graceMs: 5_000,
      warm: () => ({ idleMs: 60_000, max: 8, spare: false }),
      onStatus: () => {},
      ...input,
    }, running);
  }

  static async real(
    version: string,
    options: Omit<SandboxOptions, "binary"> = {},
    input: Partial<RunInput> = {},
  ): Promise<Rig> {
    const { native } = await codexBinary(version);
    return await Rig.open(native, options, input);
  }

  /** Runs one turn to its end. */
  async play(
    input: Partial<RunInput> = {},
    signal: AbortSignal = new AbortController().signal,
    onEvent: (event: CodexEvent) => unknown = () => {},
  ): Promise<Played> {
    await using files = new TurnFiles(this.running);
    const run = this.transport.run({ ...this.base, files, ...input }, signal);
    const events: CodexEvent[] = [];
    const reading = (async () => {
      for await (const event of run.events) {
        events.push(event);
        onEvent(event);
      }
      return await run.outcome;
    })();
    const outcome = await within(reading, "the end of a run", () => JSON.stringify(events));
    const started = events.find((event) => event.type === "thread_started");
    return {
      events,
      outcome,
      threadId: started?.threadId,
      text: events.flatMap((event) => event.type === "message" ? [event.text] : []).join("|"),
      pieces: piecesOf(events),
    };
  }

  /** One that has to go well; returns the same. */
  async good(input: Partial<RunInput> = {}): Promise<Played> {
    const played = await this.play(input);
    assert.equal(played.outcome.refused, undefined, String(played.outcome.refused));
    assert.equal(played.events.at(-1)?.type, "turn_completed", JSON.stringify(played.events));
    return played;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.transport.close();
      assert.deepEqual([...Deno.readDirSync(this.running)], [], "marks of nobody are left");
    } finally {
      await this.sandbox[Symbol.asyncDispose]();
      await this.cleanUp();
    }
  }
}

/** All pieces of messages, without those that were taken back. */
function piecesOf(events: readonly CodexEvent[]): string {
  const pieces = new Map<string, string>();
  for (const event of events) {
    if (event.type === "message_delta") {
      pieces.set(event.item, (pieces.get(event.item) ?? "") + event.text);
    } else if (event.type === "retracted") pieces.delete(event.item);
  }
  return [...pieces.values()].join("|");
}
