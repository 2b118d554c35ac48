/**
 * One running `codex app-server`: started, introduced, marked turn by turn, and ended without leaving
 * anything that it started.
 *
 * It carries two marks. Its own stands in its environment and is its limit between turns; so all
 * that it ever starts is known. During a turn that may start processes its limit is the turn's mark:
 * what was born then is found by that mark alone, while the servers of its thread live on.
 *
 * @module
 */
import { dirname, join } from "@std/path";
import { ChildOutput, Tail } from "../../base/child_output.ts";
import { clip, errorMessage, isShortage } from "../../base/error_message.ts";
import type { Variables } from "../../base/program.ts";
import { unlessAborted, within } from "../../base/timer.ts";
import { familyOf, letNotifyFinish, ProcessFamily } from "../process/process_family.ts";
import { executableOf, look, type ProcessRow, processRows } from "../process/process_table.ts";
import { TurnDirectory } from "../process/turn_directory.ts";
import { remark, remarkableCommand, TURN_MARK } from "../process/turn_mark.ts";
import { Rpc } from "./rpc.ts";
import { METHOD, NOT_WANTED, paramsOf } from "./wire.ts";

/** A server is of no use: another one is needed, or another way to run codex. */
export class ServerUnusable extends Error {
  override name = "ServerUnusable";

  constructor(
    message: string,
    /** Another one of the same codex will not do better. */
    readonly lasting = false,
  ) {
    super(message);
  }
}

/** What to start. Two equal ones can stand in for each other. */
export interface ServerCommand {
  path: string;
  /** The state of the file there, and its version: one that was replaced runs on as what it was. */
  binary: string;
  /** codex's own, after `app-server`. */
  args: readonly string[];
  env: Variables;
  /** The state of codex's login: one that logged out goes on with what it had read. */
  login: string;
}

/** What a turn is told while it runs. */
export type Listener = (method: string, params: unknown) => Promise<void> | void;

/** How a process ended. */
export interface ExitStatus {
  code: number;
  signal: string | undefined;
}

/** How long a start may take until it has introduced itself: it takes 0.3 s on a quiet machine. */
const HANDSHAKE_MS = 30_000;
/** How long it may take to go after its stdin ended: 0.1 s, and 4 s in the middle of a turn. */
const END_MS = 5_000;
/** Kept of stderr: its end. */
const STDERR_TAIL_BYTES = 16 * 1024;

/** A server and all that it started. */
export class AppServer {
  readonly pid: number;
  readonly rpc: Rpc;
  /** Resolves when the process is gone; never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Set once it is gone. */
  exit: ExitStatus | undefined;
  /** Told what codex notifies; the next one is read when it is done. */
  listener: Listener | undefined;
  /** Notifications that nobody listened to. */
  unheard = 0;
  readonly #command: ServerCommand;
  readonly #running: string;
  readonly #own: TurnDirectory;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stderr = new Tail(STDERR_TAIL_BYTES);
  readonly #pipes: ChildOutput[];
  readonly #read: Promise<unknown>;
  /** Itself, among the machine's processes. */
  readonly #row: Promise<ProcessRow[]>;
  readonly #closings = new Map<string, () => void>();
  /** Of the turns, one after the other: where one left something that cannot be ended, the server goes. */
  #turn: TurnDirectory | undefined;
  /** Whom the turn that runs has started. */
  #family: ProcessFamily | undefined;
  #limit: string;
  #ending: Promise<readonly ProcessRow[]> | undefined;
  /** The server and what it has started between turns. */
  #residents: ProcessRow[] = [];

  private constructor(
    child: Deno.ChildProcess,
    command: ServerCommand,
    running: string,
    own: TurnDirectory,
  ) {
    this.#command = command;
    this.#running = running;
    this.#own = own;
    this.#limit = own.mark;
    this.pid = child.pid;
    this.#row = processRows([this.pid]);
    this.#stdin = child.stdin.getWriter();
    const [stdout, stderr] = [new ChildOutput(child.stdout), new ChildOutput(child.stderr)];
    this.#pipes = [stdout, stderr];
    this.rpc = new Rpc(
      (bytes) => this.#stdin.write(bytes),
      (method, params) => this.#notified(method, params),
    );
    this.exited = child.status.then(({ code, signal }) => {
      for (const pipe of this.#pipes) pipe.childGone();
      return this.exit = { code, signal: signal ?? undefined };
    });
    this.#read = Promise.all([this.rpc.read(stdout.chunks()), this.#readStderr(stderr)]);
  }

  /**
   * Starts a server and waits until it has introduced itself, or `signal` aborts. Its marks are recorded
   * below `running`.
   * @throws {ServerUnusable} when it cannot be started, ends at once, or does not answer as it should.
   */
  static async start(
    command: ServerCommand,
    running: string,
    signal: AbortSignal,
  ): Promise<AppServer> {
    const own = await TurnDirectory.create(running);
    let server: AppServer;
    try {
      server = new AppServer(spawn(command, own.mark), command, running, own);
    } catch (error) {
      own[Symbol.dispose]();
      const why = `cannot start ${command.path} app-server: ${errorMessage(error)}`;
      throw new ServerUnusable(why, !isShortage(error));
    }
    try {
      const introduced = server.rpc.request(METHOD.initialize, {
        clientInfo: { name: "plexum", title: "Plexum", version: "1" },
        // `thread/backgroundTerminals/clean` is not to be had without it, up to 0.171 at least.
        capabilities: { experimentalApi: true, optOutNotificationMethods: NOT_WANTED },
      }, HANDSHAKE_MS);
      await unlessAborted(introduced, signal);
      await server.rpc.notify(METHOD.initialized);
      return server;
    } catch (error) {
      await server.kill();
      const said = server.stderr.trim().split("\n").at(-1);
      throw new ServerUnusable(clip(`${errorMessage(error)}${said ? `: ${said}` : ""}`), true);
    }
  }

  get isAlive(): boolean {
    return this.exit === undefined && this.#ending === undefined;
  }

  /** The end of what codex wrote to stderr so far, at most 16 KiB. */
  get stderr(): string {
    return this.#stderr.text();
  }

  /** Waits until the thread is unloaded; to be called before that is asked for. */
  closing(threadId: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closings.set(threadId, resolve);
    return promise.finally(() => this.#closings.delete(threadId));
  }

  /** From now on what the server starts belongs to the turn. False when it cannot be marked. */
  async beginTurn(): Promise<boolean> {
    this.#stderr.clear(); // what was said before is no reason of this turn's
    const turn = this.#turn ??= await TurnDirectory.create(this.#running);
    this.#family = new ProcessFamily(
      turn.mark,
      { spared: this.#residents, bearer: this.pid },
      { onMembers: (rows) => turn.recordFamily(rows) },
    );
    this.#family.watch();
    return await this.#remark(turn.mark);
  }

  /** From now on what the server starts belongs to no turn: the servers of a thread. */
  async betweenTurns(): Promise<boolean> {
    return await this.#remark(this.#own.mark);
  }

  /**
   * What lives now is the server's: itself and, where it has any, the MCP servers of the thread that was
   * loaded. To be called before anything of a turn can have been started.
   * @throws {ServerUnusable} where the system does not tell: the server would be ended with its turn.
   */
  async settle(hasServers: boolean): Promise<void> {
    const table = hasServers ? (await look()).table : await this.#row;
    this.#residents = familyOf(this.pid, table);
    if (this.#residents.length > 0) return;
    throw new ServerUnusable("the app-server is not among the processes that can be seen");
  }

  /**
   * The turn is over. Unless it cannot have started anything, what it has started is ended; the user's
   * `notify` program gets a moment to finish, unless `signal` aborts.
   * @returns What could not be ended.
   */
  async endTurn(isQuiet: boolean, signal: AbortSignal): Promise<readonly ProcessRow[]> {
    const [turn, family] = [this.#turn, this.#family];
    if (turn === undefined || family === undefined) return [];
    try {
      if (isQuiet) return [];
      // The server still has the mark: all that is below it and not its own is seen as the turn's.
      const { others, sure } = await family.look();
      if (others.length === 0 && sure) return [];
      if (!await this.betweenTurns()) return await this.kill();
      await this.#spareHelper(others);
      await letNotifyFinish(others, signal);
      return await family.end();
    } finally {
      this.#family = undefined;
      await family.close();
    }
  }

  /** Lets the server go: its stdin ends, and what does not go by itself is killed. */
  end(): Promise<readonly ProcessRow[]> {
    return this.#ending ??= this.#end(END_MS);
  }

  /** Kills the server and all that it started. */
  kill(): Promise<readonly ProcessRow[]> {
    return this.#ending ??= this.#end(0);
  }

  async #end(ms: number): Promise<readonly ProcessRow[]> {
    // Whom the looks have found is known no other way: it may have taken off its marks since.
    const known = this.#family?.members ?? [];
    await this.#family?.close();
    const marks = [this.#own, ...(this.#turn === undefined ? [] : [this.#turn])];
    // Looked at first: once the server is gone, its children belong to init.
    const families = marks.map(({ mark }) => new ProcessFamily(mark, { root: this.pid, known }));
    const seen = await Promise.all(families.map((family) => family.look()));
    if (ms > 0) {
      void this.#stdin.close().catch(() => {});
      await within(ms, this.exited);
      await letNotifyFinish(seen.flatMap(({ others }) => others));
    }
    // Also where the system does not tell who is there.
    if (this.exit === undefined) { for (const family of families) family.killNow(); }
    const survivors = (await Promise.all(families.map((family) => family.end()))).flat();
    await Promise.all(families.map((family) => family.close()));
    await within(END_MS, this.exited);
    await Promise.all(this.#pipes.map((pipe) => pipe.close()));
    // What cannot be ended may never take what was written to it.
    const letGo = Promise.all([this.#read, this.#row]).then(() => this.#stdin.abort());
    await within(END_MS, letGo.catch(() => {}));
    for (const directory of marks) directory[Symbol.dispose]();
    return survivors;
  }

  /** codex's own helper is born in the turn that first needs it; killed, it would lose its values. */
  async #spareHelper(rows: readonly ProcessRow[]): Promise<void> {
    const name = "codex-code-mode-host";
    const path = join(dirname(this.#command.path), name);
    for (const row of rows) {
      if (row.ppid !== this.pid || !name.startsWith(row.command)) continue;
      if (await executableOf(row.pid) === path) this.#residents.push(row);
    }
  }

  async #remark(mark: string): Promise<boolean> {
    if (this.#limit === mark) return true;
    const done = await remark(this.pid, mark);
    if (done) this.#limit = mark;
    return done;
  }

  async #notified(method: string, params: unknown): Promise<void> {
    if (method === "thread/closed") {
      const read = paramsOf(params);
      if (typeof read !== "string") this.#closings.get(read.threadId ?? "")?.();
    }
    if (this.listener === undefined) this.unheard++;
    else await this.listener(method, params);
  }

  async #readStderr(pipe: ChildOutput): Promise<void> {
    try {
      for await (const chunk of pipe.chunks()) this.#stderr.push(chunk);
    } catch {
      // A broken pipe ends stderr like its end.
    }
  }
}

function spawn({ path, args, env }: ServerCommand, mark: string): Deno.ChildProcess {
  const command = remarkableCommand(path, ["app-server", ...args], mark);
  return new Deno.Command(command.path, {
    args: command.args,
    // Not the workspace: a thread has that for itself, and a server may wait for any.
    cwd: "/",
    env: { ...env, [TURN_MARK]: mark },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: command.detached,
  }).spawn();
}
