/**
 * The thread that a server has loaded: begun or resumed, read again from disk, let go.
 *
 * It is always loaded read-only, and each turn brings its real sandbox. Loaded with any right to write
 * codex would note in config.toml that the workspace is trusted, and believe its `.codex/`: servers
 * outside the sandbox, rules, models.
 *
 * Parameters are heard by a load only; a loaded thread ignores them. So whatever changed since, in
 * what we ask or in the files that codex reads then, has the thread unloaded and loaded again.
 *
 * @module
 */
import * as z from "zod/mini";
import { isObject } from "../../base/json_object.ts";
import { clip } from "../../base/error_message.ts";
import { within } from "../../base/timer.ts";
import type { HostToolsAccess, RunInput } from "../transport.ts";
import {
  configurationFiles,
  type ConfiguredFiles,
  configuredFiles,
  projectFiles,
  stampsOf,
} from "./load_files.ts";
import { type AppServer, ServerUnusable } from "./process.ts";
import { RpcRefusal, RpcSilence } from "./rpc.ts";
import { METHOD, paramsOf, SERVER_STATUS, warningIn } from "./wire.ts";

/** What of a run decides how its thread is loaded. */
export type LoadInput = Pick<
  RunInput,
  | "codex"
  | "codexHome"
  | "cwd"
  | "extraArgs"
  | "hostTools"
  | "instructions"
  | "model"
  | "threadId"
  | "trustWorkspace"
  | "workspace"
>;

/**
 * What codex's own configuration says for a turn that does not say it. A thread keeps to what it had before,
 * unless the turn is told.
 */
export interface ConfiguredTurn {
  model?: string | undefined;
  effort?: string | undefined;
  writes: ConfiguredWrites;
  /** A program of the user's is started at the end of each turn. */
  notifies: boolean;
}

/** About writing. */
export interface ConfiguredWrites {
  writable_roots: string[] | null;
  network_access: boolean | null;
  exclude_tmpdir_env_var: boolean | null;
  exclude_slash_tmp: boolean | null;
}

/** A load waits for the thread's MCP servers, whose own limit is a minute at most. */
const LOAD_MS = 120_000;
/** The user's servers that are not required may take as long before the turn begins without them. */
const SERVERS_MS = 5_000;
/** Other requests; they take a few milliseconds. */
const ASK_MS = 10_000;
/** So many warnings are kept for the next turn. */
const WARNINGS = 50;

const Loaded = z.looseObject({
  thread: z.looseObject({ id: z.string(), path: z.nullish(z.string()) }),
});
const Flag = z._default(z.nullable(z.boolean()), false);
const Writes = z.looseObject({
  writable_roots: z._default(z.nullable(z.array(z.string())), []),
  network_access: Flag,
  exclude_tmpdir_env_var: Flag,
  exclude_slash_tmp: Flag,
});
const Configured = z.looseObject({
  config: z.looseObject({
    model: z.nullish(z.string()),
    model_reasoning_effort: z.nullish(z.string()),
    sandbox_workspace_write: z.nullish(Writes),
    notify: z.nullish(z.array(z.unknown())),
    mcp_servers: z.nullish(z.record(
      z.string(),
      z.looseObject({ enabled: z._default(z.nullable(z.boolean()), true) }),
    )),
  }),
});

interface LoadedThread {
  threadId: string;
  key: string;
  /** What the configuration said of files, and their state before the load. */
  files: ConfiguredFiles;
  stamps: string;
  path: string | undefined;
  /** Of its file, once it was seen. */
  inode: number | null | undefined;
}

/** The one thread of a server. */
export class ServerThread {
  /** As the configuration had it when the thread was loaded. */
  configured: ConfiguredTurn = { writes: z.parse(Writes, {}), notifies: false };
  readonly #server: AppServer;
  #loaded: LoadedThread | undefined;
  #reloading: string | undefined;
  /** How it was loaded last. */
  #input: LoadInput | undefined;
  /** What codex warned of while it loaded, and no turn was told yet. */
  #warnings = new Set<string>();

  constructor(server: AppServer) {
    this.#server = server;
  }

  /** The thread that is loaded now, or being read again. */
  get id(): string | undefined {
    return this.#loaded?.threadId ?? this.#reloading;
  }

  /**
   * Sees to it that the thread is loaded as `input` wants it, and returns its id.
   * @throws {RpcRefusal} codex's own no.
   * @throws {RpcSilence} the server is of no more use.
   */
  async load(input: LoadInput): Promise<string> {
    const key = loadKey(input);
    const loaded = this.#loaded;
    if (loaded !== undefined) {
      const fits = loaded.threadId === input.threadId && loaded.key === key &&
        loaded.stamps === stampsOf(projectFiles(input, loaded.files)) && hasItsFile(loaded);
      if (fits) return loaded.threadId;
      await this.release();
    }
    if (!await this.#server.betweenTurns()) {
      throw new RpcSilence("the limit that marks the server's processes cannot be set");
    }
    // One after the other: what changes during the load counts as changed.
    const { servers, files, ...configured } = await this.#configured();
    const stamps = stampsOf(projectFiles(input, files));
    const [method, params] = loadRequest(input, files.trusts);
    const started = this.#watchServers();
    const answer = await this.#ask(method, params, LOAD_MS);
    this.configured = input.trustWorkspace ? undisputed(configured, input.extraArgs) : configured;
    const loadedAs = z.safeParse(Loaded, answer);
    if (!loadedAs.success) {
      throw new ServerUnusable(`${method} was answered in another way than is known`, true);
    }
    const { thread } = loadedAs.data;
    await started(servers);
    await this.#server.settle(servers.length > 0 || input.hostTools !== undefined);
    const path = thread.path ?? undefined;
    this.#loaded = { threadId: thread.id, key, files, stamps, path, inode: undefined };
    this.#input = { ...input, threadId: thread.id };
    return thread.id;
  }

  /** What codex warned of while it loaded the thread; each is returned once. */
  takeWarnings(): string[] {
    const warnings = [...this.#warnings];
    this.#warnings.clear();
    return warnings;
  }

  /** Loads the thread as it was loaded last, so that a turn finds its file read. Throws as {@link load}. */
  async reload(): Promise<void> {
    const input = this.#input;
    this.#reloading = input?.threadId;
    try {
      await this.release();
      if (input !== undefined) await this.load(input);
    } finally {
      this.#reloading = undefined;
    }
  }

  /** Unloads the thread: codex gives up its writer lock. */
  async release(): Promise<void> {
    const { threadId } = this.#loaded ?? {};
    if (threadId === undefined) return;
    this.#loaded = undefined;
    const closed = this.#server.closing(threadId);
    await this.#ask(METHOD.threadUnsubscribe, { threadId }, ASK_MS);
    // Asked for it earlier, codex refuses the thread: "is closing".
    if (!await within(ASK_MS, Promise.race([closed, this.#server.exited]))) {
      throw new RpcSilence(`thread ${threadId} was not closed within ${ASK_MS} ms`);
    }
  }

  /** What codex's configuration says that concerns us; nothing where that cannot be read. */
  async #configured(): Promise<
    ConfiguredTurn & { servers: string[]; files: ConfiguredFiles }
  > {
    // Without a `cwd`: what a workspace says of itself is not asked for.
    const asked = this.#ask(METHOD.configRead, {}, ASK_MS).catch((error) => {
      // What is wrong with the configuration is said by the load, in words that are known.
      if (!(error instanceof RpcRefusal)) throw error;
    });
    const said = await asked;
    const answer = z.safeParse(Configured, said);
    const { sandbox_workspace_write: writes, mcp_servers, notify, ...config } =
      answer.data?.config ?? {};
    const servers = Object.entries(mcp_servers ?? {}).filter(([, { enabled }]) =>
      enabled !== false
    );
    return {
      model: config.model ?? undefined,
      effort: config.model_reasoning_effort ?? undefined,
      writes: writes ?? z.parse(Writes, {}),
      notifies: !answer.success || (notify ?? []).length > 0,
      servers: servers.map(([name]) => name),
      files: configuredFiles(isObject(said) ? said.config : undefined),
    };
  }

  /**
   * Listens for the MCP servers of the thread that is being loaded. What is returned resolves when those
   * that are named run or have failed, or it has taken too long: begun in a turn, they would be taken for
   * the turn's, and ended with it.
   */
  #watchServers(): (names: string[]) => Promise<void> {
    const started = new Set<string>();
    this.#warnings.clear(); // of a load that is no more
    let changed = Promise.withResolvers<void>();
    this.#server.listener = (method, unread) => {
      const params = paramsOf(unread);
      if (typeof params === "string") return;
      const warning = warningIn(method, params);
      if (warning !== undefined && this.#warnings.size < WARNINGS) {
        this.#warnings.add(clip(warning));
      }
      if (method !== SERVER_STATUS || params.status === "starting") return;
      started.add(params.name ?? "");
      changed.resolve();
      changed = Promise.withResolvers();
    };
    return async (names) => {
      const until = performance.now() + SERVERS_MS;
      while (!names.every((name) => started.has(name)) && this.#server.exit === undefined) {
        const event = Promise.race([changed.promise, this.#server.exited]);
        if (!await within(Math.max(0, until - performance.now()), event)) break;
      }
      this.#server.listener = undefined;
    };
  }

  #ask(method: string, params: unknown, ms: number): Promise<unknown> {
    return this.#server.rpc.request(method, params, ms);
  }
}

/** A trusted workspace may say otherwise, and it was not asked; but what an argument says counts before it. */
function undisputed(
  { model, effort, writes }: ConfiguredTurn,
  extraArgs: readonly string[],
): ConfiguredTurn {
  const given = (key: string) =>
    extraArgs.some((argument) => new RegExp(`^(?:--config=|-c=?)?\\s*${key}\\s*=`).test(argument));
  return {
    model: given("model") ? model : undefined,
    effort: given("model_reasoning_effort") ? effort : undefined,
    writes,
    notifies: true,
  };
}

/** The request that loads a thread; `trusts` where codex's configuration trusts a project. */
function loadRequest(
  input: LoadInput,
  trusts: boolean,
): [method: string, params: Record<string, unknown>] {
  const { hostTools, model, cwd, workspace, threadId, instructions } = input;
  const level = trustLevel(input, trusts);
  const trust = level && { trust_level: level };
  const config = {
    ...(hostTools === undefined
      ? {}
      : { mcp_servers: { [hostTools.name]: serverEntry(hostTools) }, ...hostTools.config }),
    ...(trust === undefined ? {} : { projects: { [cwd]: trust, [workspace]: trust } }),
  };
  const params = {
    cwd,
    approvalPolicy: "never",
    sandbox: "read-only",
    ...(model === undefined ? {} : { model }),
    ...(instructions === undefined ? {} : { developerInstructions: instructions }),
    config,
  };
  return threadId === undefined
    ? [METHOD.threadStart, params]
    : [METHOD.threadResume, { threadId, excludeTurns: true, ...params }];
}

/** Called untrusted only where codex trusted it unasked, for that has its AGENTS.md left out, too. */
function trustLevel(
  { trustWorkspace, codex }: LoadInput,
  trusts: boolean,
): "trusted" | "untrusted" | undefined {
  if (trustWorkspace) return "trusted";
  return trusts && codex.capabilities.trustsUnasked ? "untrusted" : undefined;
}

/** With the secret in it: neither a file nor the server's own environment nor argv ever has it. */
function serverEntry({ server, env }: HostToolsAccess): Record<string, unknown> {
  const configured = typeof server.env === "object" ? server.env : {};
  return { ...server, env: { ...configured, ...env } };
}

/** What decides a load, beside the files that codex's configuration leads to. */
function loadKey(input: LoadInput): string {
  const { cwd, hostTools, model, trustWorkspace } = input;
  const files = stampsOf(configurationFiles(input));
  return JSON.stringify([cwd, hostTools?.fingerprint, model, trustWorkspace, files]);
}

/**
 * Whether the thread still has the file that it had. codex goes on with one that was deleted, archived or
 * replaced, and what it writes then is lost.
 */
function hasItsFile(loaded: LoadedThread): boolean {
  if (loaded.path === undefined) return true;
  try {
    const { ino } = Deno.statSync(loaded.path);
    loaded.inode ??= ino;
    return loaded.inode === ino;
  } catch {
    return false;
  }
}
