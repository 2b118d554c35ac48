/**
 * What a codex says of itself, without a turn: its models, features, flags, configuration keys, and
 * the protocol of its app-server, as sorted one-line facts that two versions can be compared by.
 */
import { join } from "@std/path";
import { newTestFolder } from "../../../tests/support/cache.ts";
import type { ModelRequest } from "../../../tests/support/model/request.ts";

/** Kind of fact → the facts, sorted. */
export type Facts = Record<string, string[]>;

/** The models that scenarios ask for by what they are; `default` is undefined: none is named. */
export interface Models {
  plain: string;
  code: string | undefined;
  default: undefined;
}

/** A model as `codex debug models` tells it. */
export interface CatalogueModel {
  slug: string;
  visibility?: string;
  tool_mode?: string | null;
  [key: string]: unknown;
}

/** What `codex debug models` prints. */
export async function catalogueOf(native: string): Promise<CatalogueModel[]> {
  const { models } = JSON.parse(await inOwnHome(native, ["debug", "models"]));
  return models;
}

/** A model without code mode, and one with it where there is one. Those that are listed come first. */
export function modelsIn(catalogue: readonly CatalogueModel[]): Models {
  const listed = catalogue.filter(({ visibility }) => visibility === "list");
  const isCode = ({ tool_mode }: CatalogueModel) => `${tool_mode}`.startsWith("code_mode");
  return {
    plain: (listed.find((model) => !isCode(model)) ?? listed[0])?.slug ?? "gpt-5.5",
    code: listed.find(isCode)?.slug,
    default: undefined,
  };
}

/** Keys of a model that change what the plugin meets; a list is one fact for each entry. */
const MODEL_KEYS = [
  ...["tool_mode", "context_window", "max_context_window", "shell_type", "apply_patch_tool_type"],
  ...["web_search_tool_type", "supports_search_tool", "multi_agent_version", "visibility"],
  ...["experimental_supported_tools", "input_modalities", "default_reasoning_level"],
];

/** Commands whose flags are compared. */
const COMMANDS = ["exec", "exec resume", "mcp", "mcp add", "app-server"];

/** Everything that takes no turn to learn; takes about a second. */
export async function factsOf(native: string): Promise<Facts> {
  const facts: Facts = {
    "models": (await catalogueOf(native)).flatMap(modelFacts).sort(),
    "features": (await inOwnHome(native, ["features", "list"])).trim().split("\n")
      .map((line) => line.trim().replace(/\s{2,}/g, ": ")).sort(),
  };
  for (const command of COMMANDS) {
    const help = await inOwnHome(native, [...command.split(" "), "--help"]);
    facts[`flags of codex ${command}`] = flagsIn(help);
  }
  return { ...facts, ...protocolFacts(await protocolOf(native)) };
}

function modelFacts(model: CatalogueModel): string[] {
  const details = MODEL_KEYS.flatMap((key) => {
    const value = model[key];
    if (Array.isArray(value)) return value.map((one) => `${model.slug}: ${key} has ${one}`);
    return value === undefined || value === null ? [] : [`${model.slug}: ${key} is ${value}`];
  });
  return [model.slug, ...details];
}

/** Names of the tools that a request offers, as the model calls them. */
export function toolsIn(request: ModelRequest): string[] {
  type Tool = { type?: string; name?: string; description?: string; tools?: Tool[] };
  const names = (tools: Tool[], space: string): string[] =>
    tools.flatMap(({ type, name = type ?? "", description = "", tools }) => {
      if (tools) return names(tools, `${name}.`);
      const scripted = name === "exec" ? [...description.matchAll(/^### `(\w+)`/gm)] : [];
      return [space + name, ...scripted.map(([, inner]) => `${space}exec: tools.${inner}`)];
    });
  const more = request.input.flatMap((item) =>
    item.type === "additional_tools" ? (item as unknown as { tools: Tool[] }).tools : []
  );
  return [...new Set(names([...(request.tools ?? []) as Tool[], ...more], ""))].sort();
}

/**
 * Every flag as the help writes it, with its value's name and the values it may have:
 * `--sandbox <SANDBOX_MODE> [read-only, workspace-write]`. Sorted.
 */
export function flagsIn(help: string): string[] {
  const flags: string[] = [];
  for (const line of help.split("\n")) {
    const flag = /^ {2,6}(?:-\w, )?(--[a-z][\w-]*(?: <[^>]+>(?:\.\.\.)?)?)\s*(?:$| {2})/.exec(line);
    if (flag?.[1]) flags.push(flag[1]);
    const values = /^\s+\[possible values: (.+)\]$/.exec(line);
    if (values) flags.push(`${flags.pop() ?? ""} [${values[1]}]`);
  }
  return flags.sort();
}

/** A JSON Schema, as far as it is looked at. */
interface Schema {
  properties?: Record<string, Schema>;
  definitions?: Record<string, Schema>;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  enum?: unknown[];
  $ref?: string;
}

async function protocolOf(native: string): Promise<Schema> {
  const folder = newTestFolder();
  try {
    const args = ["app-server", "generate-json-schema", "--experimental", "--out", folder];
    await inOwnHome(native, args);
    const file = join(folder, "codex_app_server_protocol.v2.schemas.json");
    return JSON.parse(await Deno.readTextFile(file));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Types of the app-server's protocol whose fields the plugin uses or answers to. */
const TYPES = [
  ...["InitializeParams", "InitializeResponse", "ThreadStartParams", "ThreadStartResponse"],
  ...["ThreadResumeParams", "ThreadResumeResponse", "TurnStartParams", "TurnInterruptParams"],
  ...["ThreadUnsubscribeParams", "ThreadBackgroundTerminalsCleanParams", "SandboxPolicy"],
  ...["UserInput", "Turn", "TurnError", "TurnStatus", "ThreadItem", "TokenUsageBreakdown"],
  ...["ThreadTokenUsage", "AgentMessageDeltaNotification", "ItemCompletedNotification"],
  ...["ItemStartedNotification", "TurnStartedNotification", "TurnCompletedNotification"],
  ...["ErrorNotification", "WarningNotification", "ThreadStartedNotification"],
  ...["ReasoningSummaryTextDeltaNotification", "ThreadClosedNotification"],
];

/** The app-server's methods, the fields of what is used, the names of errors, the settings. */
function protocolFacts({ definitions = {} }: Schema): Facts {
  const of = (name: string) => definitions[name] ?? {};
  const methods = (name: string) => kinds(of(name)).map((method) => `${name}: ${method}`);
  return {
    "error names": errorNames(of("CodexErrorInfo")),
    "configuration keys": fields(of("Config"), "").sort(),
    "app-server's methods": ["ClientRequest", "ClientNotification", "ServerNotification"]
      .concat("ServerRequest").flatMap(methods).sort(),
    "app-server's fields": TYPES.flatMap((type) => fields(of(type), `${type}.`)).sort(),
  };
}

/** The `method` or `type` of each alternative. */
function kinds({ oneOf = [], anyOf = [] }: Schema): string[] {
  return [...oneOf, ...anyOf].flatMap(({ properties = {} }) =>
    (properties["method"] ?? properties["type"])?.enum ?? []
  ).map(String);
}

function fields(schema: Schema, path: string): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    value.enum ? value.enum.map((one) => `${path}${key} = ${one}`) : [path + key]
  );
  const alternatives = [...schema.oneOf ?? [], ...schema.anyOf ?? [], ...schema.allOf ?? []];
  const inner = alternatives.flatMap((one) => {
    const kind = kinds({ oneOf: [one] })[0];
    return fields(one, kind === undefined ? path : `${path}${kind}.`);
  });
  return [...new Set([...own, ...(schema.enum ?? []).map((one) => `${path}${one}`), ...inner])];
}

function errorNames({ oneOf = [], anyOf = [] }: Schema): string[] {
  return [...oneOf, ...anyOf].flatMap((one) =>
    (one.enum ?? Object.keys(one.properties ?? {})).map(String)
  ).sort();
}

/** Runs codex to its end with a home of its own; what it printed. */
async function inOwnHome(native: string, args: string[]): Promise<string> {
  const home = newTestFolder();
  try {
    const { success, stdout, stderr } = await new Deno.Command(native, {
      args,
      clearEnv: true,
      env: { HOME: home, CODEX_HOME: home, PATH: Deno.env.get("PATH") ?? "" },
      stdin: "null",
      signal: AbortSignal.timeout(60_000),
    }).output();
    const decoder = new TextDecoder();
    if (success) return decoder.decode(stdout);
    throw new Error(`codex ${args.join(" ")}: ${decoder.decode(stderr).slice(-500)}`);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}
