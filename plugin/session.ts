/**
 * The conversation with one host: the MCP lifecycle, and which method is whose.
 *
 * @module
 */
import * as z from "zod/mini";
import { errorMessage } from "../base/error_message.ts";
import { isDeeper } from "../base/json_object.ts";
import {
  type Handlers,
  type PeerLimits,
  type RequestContext,
  RpcError,
} from "../base/jsonrpc/peer.ts";
import type { ConfigFile } from "./config/config.ts";
import type { Config } from "./config/config_schema.ts";
import type { Log } from "./log.ts";
import {
  CODE,
  type InitializeResult,
  MAX_DEPTH,
  MAX_FRAME_BYTES,
  MAX_REQUESTS,
  MCP_VERSION,
  METHOD,
  MutateParams,
  REVISION,
  SetLevelParams,
  StreamParams,
} from "./protocol.ts";
import type { Provider } from "./provider.ts";
import { manifestFor, PLUGIN_NAME, VERSION } from "./self.ts";
import { describeShapeError } from "./shape_error.ts";

/** What this plugin does beyond the handshake, told in `initialize`. */
const FEATURES = [
  "stream",
  "session_mutate",
  "host_tools",
  "plugin_stats",
  "text_deltas",
  "text_retracted",
  "context",
];

/** What the plugin takes on from its host. */
export const HOST_LIMITS: PeerLimits = {
  frameBytes: MAX_FRAME_BYTES,
  requests: MAX_REQUESTS,
  busy: (message) =>
    new RpcError(CODE.domain, message, { kind: "internal", message, retryable: true }),
};

/** Answers one host. */
export class Session implements Handlers {
  readonly #config: ConfigFile;
  readonly #log: Log;
  readonly #loadProvider: () => Promise<Provider>;
  #provider: Promise<Provider> | undefined;
  #initialized = false;

  /** @param loadProvider Called after a good `initialize`, and again only when it failed. */
  constructor(config: ConfigFile, log: Log, loadProvider: () => Promise<Provider>) {
    this.#config = config;
    this.#log = log;
    config.onLoad = (config) => {
      log.configured = config.log_level;
      this.#warnOfOpenSandbox(config);
    };
    this.#loadProvider = loadProvider;
  }

  async request(method: string, params: unknown, context: RequestContext): Promise<unknown> {
    switch (method) {
      case METHOD.initialize:
        return this.#initialize();
      case METHOD.ping:
        return {};
      case METHOD.toolsList:
        return { tools: [] };
      case METHOD.setLogLevel:
        this.#log.asked = checked(SetLevelParams, params).level;
        return {};
      case METHOD.stream:
        return await (await this.#domain(method)).stream(checked(StreamParams, params), context);
      case METHOD.mutate:
        context.tooLate(); // A consume is not stopped.
        return await (await this.#domain(method)).mutate(checked(MutateParams, params));
      case METHOD.stats:
        return (await this.#domain(method)).stats();
      default:
        throw new RpcError(CODE.methodNotFound, `unknown method ${JSON.stringify(method)}`);
    }
  }

  /** Unknown notifications are ignored. */
  notification(method: string): void {
    // The host has its answer and is still getting ready: time to load what its first turn needs.
    if (method === METHOD.initialized && this.#initialized) this.#domain(method).catch(() => {});
  }

  note(message: string, data?: Record<string, unknown>): void {
    this.#log.write("debug", message, data);
  }

  #initialize(): InitializeResult {
    try {
      const config = this.#config.load();
      this.#initialized = true;
      return {
        protocolVersion: MCP_VERSION,
        serverInfo: { name: PLUGIN_NAME, version: VERSION },
        capabilities: {
          tools: {},
          logging: {},
          experimental: {
            plexum: {
              revision: REVISION,
              manifest: manifestFor(config.supported_models),
              features: FEATURES,
            },
          },
        },
      };
    } catch (error) {
      throw configFailure(error);
    }
  }

  /** Whoever reads the log should not have to guess that the model may do anything. */
  #warnOfOpenSandbox(config: Config): void {
    const open = "danger-full-access";
    const where = [
      ...(config.sandbox === open ? ["sandbox"] : []),
      ...Object.keys(config.models).filter((id) => config.models[id]?.sandbox === open)
        .map((id) => `models.${id}`),
      ...Object.keys(config.agents).filter((id) => config.agents[id]?.sandbox === open)
        .map((id) => `agents.${id}`),
    ];
    if (where.length === 0) return;
    this.#log.write("warning", "codex's tools run without a sandbox: danger-full-access", {
      where,
    });
  }

  async #domain(method: string): Promise<Provider> {
    if (!this.#initialized) {
      throw new RpcError(CODE.notInitialized, `${method} before a successful initialize`);
    }
    try {
      return await (this.#provider ??= this.#loadProvider());
    } catch (error) {
      this.#provider = undefined; // E.g. a state directory that an operator has to repair.
      throw configFailure(error);
    }
  }
}

function configFailure(error: unknown): RpcError {
  const message = errorMessage(error);
  return new RpcError(CODE.domain, message, { kind: "config", message, retryable: false });
}

function checked<T extends z.ZodMiniType>(schema: T, params: unknown): z.infer<T> {
  if (isDeeper(params, MAX_DEPTH)) {
    const message = `params: expected at most ${MAX_DEPTH} levels of nesting, found more`;
    throw new RpcError(CODE.invalidParams, message);
  }
  const given = wireKeys(params ?? {});
  const parsed = z.safeParse(schema, given);
  if (parsed.success) return parsed.data;
  throw new RpcError(CODE.invalidParams, describeShapeError(parsed.error.issues, given));
}

/*
 * Params as hosts write them → params as `protocol.ts` has them. Go and TypeScript write the same
 * thing in different ways.
 */

/** Keys that are understood under another name on input. */
const OTHER_KEYS: Record<string, string> = {
  agentId: "agent_id",
  sessionId: "session_id",
  outputSchema: "output_schema",
  maxTokens: "max_tokens",
  input_schema: "inputSchema",
  toolUseId: "tool_use_id",
  isError: "is_error",
  dataBase64: "data_base64",
  mediaType: "media_type",
  blockId: "block_id",
};
/** Values that belong to the host or the model: their keys are never touched. */
const OPAQUE = new Set(["inputSchema", "output_schema", "input", "annotations", "_meta"]);

/**
 * Params as the schemas expect them: every known key under the protocol's name, and no key whose
 * value is `null`, which is how Go writes what is not there. Calls itself for each level: `isDeeper` comes
 * first.
 */
export function wireKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wireKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries: [string, unknown][] = [];
  for (const [key, inner] of Object.entries(value)) {
    if (inner === null) continue;
    const name = (Object.hasOwn(OTHER_KEYS, key) ? OTHER_KEYS[key] : undefined) ?? key;
    // With both present, the documented one wins.
    if (name !== key && Object.hasOwn(value, name)) continue;
    entries.push([name, OPAQUE.has(name) ? inner : wireKeys(inner)]);
  }
  return Object.fromEntries(entries);
}
