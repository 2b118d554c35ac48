/**
 * What of the host's tools is shown to codex, under which names, and what is left out and why.
 *
 * A schema passes through untouched where the model's service takes it (`model_schema.ts`). It is
 * looked at only so far as is cheap for hundreds of tools on the way to a turn: whether codex can read
 * it (`schemaFault`, there). Whether the validator can compile it is found in `arguments.ts`, which
 * remembers schemas across turns. One bad tool never costs the others.
 *
 * @module
 */
import { isObject } from "../../base/json_object.ts";
import type { HostTool } from "../host_tool.ts";
import { modelSchema, schemaFault } from "./model_schema.ts";

/** The schema of a tool that brings none. */
const ANYTHING = { type: "object" };

/** The annotations of MCP that are true or false. */
const HINTS = new Set(["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"]);

/** A tool as `tools/list` shows it. */
export interface ListedTool {
  name: string;
  title?: string;
  description?: string;
  inputSchema: Record<string, unknown>;
  annotations?: Record<string, unknown>;
}

/** A tool that is not shown. */
export interface LeftOut {
  name: string;
  reason: string;
}

/** A tool that is shown. */
export interface Entry {
  listed: ListedTool;
  hostName: string;
  /** The host's own schema, which arguments are held against. */
  schema: Record<string, unknown>;
  /** It only reads, and may run beside others. */
  shared: boolean;
}

/** The tools of one bridge, in the host's order. */
export interface Catalogue {
  listed: ListedTool[];
  leftOut: LeftOut[];
  names: ToolNames;
  entries(): Entry[];
  /** Looks a tool up by its codex name. */
  find(codexName: string): Entry | undefined;
  /** Takes a tool back before it was listed. */
  leaveOut(codexName: string, reason: string): void;
}

/** Builds the catalogue of a server's tools; `onLeftOut` hears of each tool that cannot be shown. */
export function buildCatalogue(
  tools: readonly HostTool[],
  serverName: string,
  onLeftOut: (leftOut: LeftOut) => void = () => {},
): Catalogue {
  const fit = new Map<string, { tool: HostTool; schema: Record<string, unknown>; shown: Shown }>();
  const leftOut: LeftOut[] = [];
  const leave = (name: string, reason: string) => {
    leftOut.push({ name, reason });
    onLeftOut({ name, reason });
  };
  for (const tool of tools) {
    const name = typeof tool?.name === "string" ? tool.name : "";
    const schema = objectSchema(tool?.inputSchema ?? ANYTHING);
    const shown = name === ""
      ? { fault: "it has no name" }
      : fit.has(name)
      ? { fault: "another tool has the same name" }
      : showable(schema);
    if (shown.fault !== undefined) leave(name, shown.fault);
    else if (isObject(schema)) fit.set(name, { tool, schema, shown });
  }
  const names = mapToolNames(fit.keys(), toolNameMax(serverName));
  const byCodexName = new Map<string, Entry>();
  for (const [hostName, { tool, schema, shown }] of fit) {
    const listed = list(tool, names.toCodex.get(hostName) ?? hostName, shown);
    const shared = tool.annotations?.readOnlyHint === true;
    byCodexName.set(listed.name, { listed, hostName, schema, shared });
  }
  return {
    leftOut,
    names,
    entries: () => [...byCodexName.values()],
    get listed() {
      return Array.from(byCodexName.values(), (entry) => entry.listed);
    },
    find: (codexName) => byCodexName.get(codexName),
    leaveOut(codexName, reason) {
      const entry = byCodexName.get(codexName);
      if (entry && byCodexName.delete(codexName)) leave(entry.hostName, reason);
    },
  };
}

/** With its `type`, which a host may leave out: arguments are an object in any case. */
function objectSchema(schema: unknown): unknown {
  return isObject(schema) && schema.type === undefined ? { ...ANYTHING, ...schema } : schema;
}

/** A schema that the model can be shown, with what has to be said in words. */
type Shown = Exclude<ReturnType<typeof modelSchema>, { fault: string }>;

function showable(schema: unknown): ReturnType<typeof modelSchema> {
  const fault = schemaFault(schema);
  if (fault !== undefined || !isObject(schema)) return { fault: fault ?? "it has no schema" };
  const shown = modelSchema(schema);
  if (shown.fault !== undefined) return shown;
  const rewritten = shown.schema === schema ? undefined : schemaFault(shown.schema);
  return rewritten === undefined ? shown : { fault: rewritten };
}

function list(tool: HostTool, name: string, { schema, rule }: Shown): ListedTool {
  const listed: ListedTool = { name, inputSchema: schema };
  const title = tool.title ?? (name === tool.name ? undefined : tool.name);
  if (typeof title === "string") listed.title = title;
  const words = [tool.description, rule].filter((part) => typeof part === "string");
  if (words.length > 0) listed.description = words.join("\n\n");
  const annotations = annotationsOf(tool);
  if (annotations.length > 0) listed.annotations = Object.fromEntries(annotations);
  return listed;
}

/** MCP's annotations of MCP's types. For one of another type codex drops the whole list of tools. */
function annotationsOf({ annotations }: HostTool): [name: string, value: unknown][] {
  if (!isObject(annotations)) return [];
  return Object.entries(annotations).filter(([name, value]) =>
    name === "title" ? typeof value === "string" : HINTS.has(name) && typeof value === "boolean"
  );
}

/*
 * Host names and codex names of tools, one to one.
 *
 * codex shows a tool to the model under a name of `[A-Za-z0-9_]`; whatever else a name contains,
 * codex replaces by `_` (seen on 0.135.0, 0.150.1, 0.169.0), and it shortens long names. Two host
 * tools could so become one. Therefore names are mapped here, before codex sees them, to names that
 * codex has no reason to change:
 *
 * - a name that is fine already stays as it is, always;
 * - any other name has its foreign characters replaced by `_`, and where that is too long or taken,
 *   a digest of the host's name is appended.
 *
 * The mapping does not depend on the order of the tools, so a tool keeps its name from turn to turn
 * as long as the set of tools that resemble it stays the same.
 */

/** Longest name of a function at OpenAI, in characters. */
const FUNCTION_NAME_MAX = 64;
const DIGEST_DIGITS = 8;

/** Two-way table of names. */
export interface ToolNames {
  /** The codex name of a host tool. */
  toCodex: ReadonlyMap<string, string>;
  /** The host's name behind a codex name. */
  toHost: ReadonlyMap<string, string>;
}

/** The namespace in which codex shows the tools of a server. */
export function namespaceOf(serverName: string): string {
  return `mcp__${serverName.replaceAll(/[^A-Za-z0-9_]/g, "_")}`;
}

/**
 * Longest codex name of a server's tool, in characters: codex 0.135 counts the namespace and two
 * more underscores into the limit and shortens what is longer; 0.150 and 0.169 shorten nothing.
 */
export function toolNameMax(serverName: string): number {
  return FUNCTION_NAME_MAX - namespaceOf(serverName).length - 2;
}

/**
 * Maps distinct host names to distinct codex names of at most `maxLength` characters. Repeated names
 * count once.
 */
export function mapToolNames(hostNames: Iterable<string>, maxLength: number): ToolNames {
  const fitting = new RegExp(`^[A-Za-z0-9_]{1,${maxLength}}$`);
  const toCodex = new Map<string, string>();
  const toHost = new Map<string, string>();
  const bind = (host: string, codex: string) => {
    toCodex.set(host, codex);
    toHost.set(codex, host);
  };
  const misfits = new Map<string, string[]>();
  for (const name of new Set(hostNames)) {
    if (fitting.test(name)) bind(name, name);
    else {
      const plain = name.replace(/[^A-Za-z0-9_]/g, "_");
      misfits.set(plain, [...misfits.get(plain) ?? [], name]);
    }
  }
  // Sorted, so that the outcome is the same whatever order the host lists its tools in.
  const stemLength = maxLength - DIGEST_DIGITS - 1;
  for (const [plain, names] of [...misfits].sort(([a], [b]) => a < b ? -1 : 1)) {
    for (const name of names.sort()) {
      const alone = names.length === 1 && fitting.test(plain) && /[A-Za-z0-9]/.test(plain);
      if (alone && !toHost.has(plain)) bind(name, plain);
      else bind(name, digested(plain.slice(0, stemLength), name, toHost));
    }
  }
  return { toCodex, toHost };
}

/** The stem and a digest of the name; where that is taken, another digest. */
function digested(stem: string, name: string, taken: ReadonlyMap<string, string>): string {
  for (let round = 0;; round++) {
    const candidate = `${stem}_${digest(`${round}:${name}`)}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/**
 * A single name made to fit: what `foreign` matches becomes `_`, and where that changed it or it is
 * too long, a digest of the name follows, so that different names stay different.
 */
export function fitName(name: string, foreign: RegExp, maxLength: number): string {
  const plain = name.replaceAll(foreign, "_");
  if (plain === name && name !== "" && name.length <= maxLength) return name;
  return `${plain.slice(0, maxLength - DIGEST_DIGITS - 1)}_${digest(name)}`;
}

/** 32-bit FNV-1a over UTF-16 units as hex: it spreads names and guards nothing. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >> 8), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(DIGEST_DIGITS, "0");
}
