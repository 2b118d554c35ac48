/**
 * The conversation with one host: the MCP lifecycle, and which method is whose.
 *
 * @module
 */
import * as z from "zod/mini";
import { errorMessage } from "./error_message.ts";
import type { ConfigFile } from "./config_file.ts";
import { type Handlers, type RequestContext, RpcError } from "./jsonrpc.ts";
import type { Log } from "./log.ts";
import { manifestFor } from "./manifest.ts";
import {
  CODE,
  MCP_VERSION,
  METHOD,
  MutateParams,
  PLUGIN_NAME,
  REVISION,
  SetLevelParams,
  StreamParams,
} from "./protocol.ts";
import type { Provider } from "./provider.ts";
import { describeShapeError } from "./shape_error.ts";
import { VERSION } from "./version.ts";

/** What this plugin does beyond the handshake, told in `initialize`. */
const FEATURES = ["stream", "session_mutate", "host_tools"];

/** Answers one host. */
export class Session implements Handlers {
  readonly #config: ConfigFile;
  readonly #log: Log;
  readonly #makeProvider: () => Provider;
  #provider: Provider | undefined;

  /** @param makeProvider Called once, after the first configuration that could be read. */
  constructor(config: ConfigFile, log: Log, makeProvider: () => Provider) {
    this.#config = config;
    this.#log = log;
    this.#makeProvider = makeProvider;
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
        this.#log.level = checked(SetLevelParams, params).level;
        return {};
      case METHOD.stream:
        return await this.#domain(method).stream(checked(StreamParams, params), context);
      case METHOD.mutate:
        return await this.#domain(method).mutate(checked(MutateParams, params));
      default:
        throw new RpcError(CODE.methodNotFound, `unknown method ${JSON.stringify(method)}`);
    }
  }

  /** `notifications/initialized` needs no action, and unknown notifications are ignored. */
  notification(): void {}

  note(message: string, data?: Record<string, unknown>): void {
    this.#log.write("debug", message, data);
  }

  #initialize(): unknown {
    try {
      const config = this.#config.load();
      this.#log.level = config.log_level;
      this.#provider ??= this.#makeProvider();
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
      const message = errorMessage(error);
      throw new RpcError(CODE.domain, message, { kind: "config", message, retryable: false });
    }
  }

  #domain(method: string): Provider {
    if (this.#provider !== undefined) return this.#provider;
    throw new RpcError(CODE.notInitialized, `${method} before a successful initialize`);
  }
}

function checked<T extends z.ZodMiniType>(schema: T, params: unknown): z.infer<T> {
  const parsed = z.safeParse(schema, params ?? {});
  if (parsed.success) return parsed.data;
  throw new RpcError(CODE.invalidParams, describeShapeError(parsed.error.issues, params));
}
