/**
 * What the runner is told for a turn, pure: out of the configuration, for one model and one agent, and
 * out of the host's conversation.
 *
 * @module
 */
import type { ImageInput } from "../../runner/images.ts";
import type { PastMessage } from "../../runner/prompt.ts";
import type { TurnSettings } from "../../runner/turn_request.ts";
import type { ContentBlock, Message } from "../protocol.ts";
import type { Config } from "./config_schema.ts";

type TimeoutName = `${"start" | "silence" | "tool_silence" | "reconnect" | "total" | "grace"}_ms`;

/** The settings of a turn: the agent's overrides win over the model's, both over the rest. */
export function turnSettings(config: Config, model: string, agentId: string): TurnSettings {
  const byModel = config.models[model];
  const byAgent = config.agents[agentId];
  const limit = (name: TimeoutName): number =>
    byAgent?.timeouts?.[name] ?? byModel?.timeouts?.[name] ?? config.timeouts[name];
  return {
    binary: config.binary,
    extraArgs: [...config.extra_args, ...byModel?.args ?? [], ...byAgent?.args ?? []],
    sandbox: byAgent?.sandbox ?? byModel?.sandbox ?? config.sandbox,
    writableRoots: config.writable_roots,
    networkAccess: config.network_access,
    trustWorkspace: config.trust_workspace,
    env: agentEnv(config, agentId),
    onLostSession: config.on_lost_session,
    olderCodex: config.older_codex,
    retries: config.retries,
    limits: {
      start: limit("start_ms"),
      silence: limit("silence_ms"),
      toolSilence: limit("tool_silence_ms"),
      reconnect: limit("reconnect_ms"),
      total: limit("total_ms"),
    },
    graceMs: limit("grace_ms"),
    transport: byAgent?.transport ?? byModel?.transport ?? config.transport,
    warm: () => ({
      idleMs: byAgent?.warm?.idle_ms ?? byModel?.warm?.idle_ms ?? config.warm.idle_ms,
      max: config.warm.max,
      spare: byAgent?.warm?.spare ?? byModel?.warm?.spare ?? config.warm.spare,
    }),
    toolTimeoutMs: config.tool_timeout_ms,
    toolResultMaxBytes: config.tool_result_max_bytes,
    userMcpServers: config.user_mcp_servers,
    mcpRegistration: config.mcp_registration,
  };
}

/** What is added to codex's environment for an agent. */
export function agentEnv(config: Config, agentId: string): Record<string, string> {
  return { ...config.env, ...config.agents[agentId]?.env };
}

/** codex's `--model` for the host's id: none for `""` and `"codex"`, else what `model_args` says, else the id. */
export function codexModel(config: Config, model: string): string | undefined {
  if (model === "" || model === "codex") return undefined;
  return Object.hasOwn(config.model_args, model) ? config.model_args[model] : model;
}

/** What codex is given of a conversation. */
export interface Asked {
  /** The text blocks of the last user message; empty when there is none. */
  text: string;
  images: ImageInput[];
  /** Everything before it that has text. */
  history: PastMessage[];
}

/** The last user message and what went before it. */
export function askedOf(messages: readonly Message[]): Asked {
  const last = messages.findLastIndex(({ role }) => role === "user");
  const message = messages[last];
  if (message === undefined) return { text: "", images: [], history: [] };
  const history = messages.slice(0, last)
    .map(({ role, content }) => ({ role, text: textOf(content) }))
    .filter(({ text }) => text !== "");
  const images = blocksOf(message.content).flatMap(imagesOf);
  return { text: textOf(message.content), images, history };
}

function textOf(content: Message["content"]): string {
  if (typeof content === "string") return content;
  return blocksOf(content).flatMap((block) => block.type === "text" ? [block.text] : []).join("\n");
}

function blocksOf(content: Message["content"]): ContentBlock[] {
  return typeof content === "string" ? [] : content ?? [];
}

function imagesOf(block: ContentBlock, at: number): ImageInput[] {
  if (block.type !== "image") return [];
  // An empty text is a source that was not given: Go writes it so.
  return [{
    block: at,
    url: block.url || undefined,
    path: block.path || undefined,
    dataBase64: block.data_base64 || undefined,
  }];
}
