/**
 * What of the host's tools is shown to codex, under which names, and what is left out and why.
 *
 * A schema passes through untouched. It is looked at only so far as is cheap for hundreds of tools
 * on the way to a turn: whether codex can read it (`schema_shape.ts`). Whether the validator can compile it is
 * found in `arguments.ts`, which remembers schemas across turns. One bad tool never costs the others.
 *
 * @module
 */
import type { HostTool } from "../host_tool.ts";
import { isObject } from "../../base/json_object.ts";
import { schemaFault } from "./schema_shape.ts";
import { mapToolNames, toolNameMax, type ToolNames } from "./tool_names.ts";

/** The schema of a tool that brings none. */
const ANYTHING = { type: "object" };

/** A tool as `tools/list` shows it. */
export interface ListedTool {
  name: string;
  title?: string;
  description?: string;
  inputSchema: { type: "object" } & Record<string, unknown>;
  annotations?: Record<string, unknown>;
}

/** A tool that is not shown. */
export interface LeftOut {
  name: string;
  reason: string;
}

/** The tools of one turn, in the host's order. */
export interface Catalogue {
  listed: ListedTool[];
  leftOut: LeftOut[];
  names: ToolNames;
  /** Looks a tool up by its codex name. */
  find(codexName: string): { tool: ListedTool; hostName: string; shared: boolean } | undefined;
  /** Takes a tool back before it was listed. */
  leaveOut(codexName: string, reason: string): void;
}

/** Builds the catalogue of a server's tools; `onLeftOut` hears of each tool that cannot be shown. */
export function buildCatalogue(
  tools: readonly HostTool[],
  serverName: string,
  onLeftOut: (leftOut: LeftOut) => void = () => {},
): Catalogue {
  const fit: HostTool[] = [];
  const seen = new Set<string>();
  const leftOut: LeftOut[] = [];
  const leave = (name: string, reason: string) => {
    leftOut.push({ name, reason });
    onLeftOut({ name, reason });
  };
  for (const tool of tools) {
    const name = typeof tool?.name === "string" ? tool.name : "";
    const reason = name === ""
      ? "it has no name"
      : seen.has(name)
      ? "another tool has the same name"
      : schemaFault(tool.inputSchema ?? ANYTHING);
    if (reason) leave(name, reason);
    else {
      seen.add(name);
      fit.push(tool);
    }
  }
  const names = mapToolNames(seen, toolNameMax(serverName));
  const byCodexName = new Map<string, { tool: ListedTool; hostName: string; shared: boolean }>();
  for (const tool of fit) {
    const listed = list(tool, names.toCodex.get(tool.name) ?? tool.name);
    const shared = tool.annotations?.readOnlyHint === true;
    byCodexName.set(listed.name, { tool: listed, hostName: tool.name, shared });
  }
  return {
    leftOut,
    names,
    get listed() {
      return Array.from(byCodexName.values(), (entry) => entry.tool);
    },
    find: (codexName) => byCodexName.get(codexName),
    leaveOut(codexName, reason) {
      const entry = byCodexName.get(codexName);
      if (entry && byCodexName.delete(codexName)) leave(entry.hostName, reason);
    },
  };
}

function list(tool: HostTool, name: string): ListedTool {
  const listed: ListedTool = {
    name,
    inputSchema: (tool.inputSchema ?? ANYTHING) as ListedTool["inputSchema"],
  };
  const title = tool.title ?? (name === tool.name ? undefined : tool.name);
  if (typeof title === "string") listed.title = title;
  if (typeof tool.description === "string") listed.description = tool.description;
  if (isObject(tool.annotations)) listed.annotations = tool.annotations;
  return listed;
}
