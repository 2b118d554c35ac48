/**
 * What of the host's tools is shown to codex, under which names, and what is left out and why.
 *
 * A schema passes through untouched where the model's service takes it (`model_schema.ts`). It is
 * looked at only so far as is cheap for hundreds of tools on the way to a turn: whether codex can read
 * it (`schema_shape.ts`). Whether the validator can compile it is found in `arguments.ts`, which
 * remembers schemas across turns. One bad tool never costs the others.
 *
 * @module
 */
import { isObject } from "../../base/json_object.ts";
import type { HostTool } from "../host_tool.ts";
import { modelSchema } from "./model_schema.ts";
import { schemaFault } from "./schema_shape.ts";
import { mapToolNames, toolNameMax, type ToolNames } from "./tool_names.ts";

/** The schema of a tool that brings none. */
const ANYTHING = { type: "object" };

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
    const schema = tool?.inputSchema ?? ANYTHING;
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
  if (isObject(tool.annotations)) listed.annotations = tool.annotations;
  return listed;
}
