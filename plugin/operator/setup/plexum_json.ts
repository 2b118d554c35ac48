/**
 * `plugins.allow` in the host's `plexum.json`: read and edited as JSONC, so that the comments, the
 * order and the layout of what a person wrote stay as they are.
 *
 * @module
 */
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { join } from "@std/path";
import { errorMessage } from "../../../base/error_message.ts";
import { PLUGIN_NAME } from "../../names.ts";
import { insertItem, removeItem } from "./jsonc_items.ts";
import { keep, readIfThere, replaceFile, type Step, textStep } from "./step.ts";

const BOM = "\ufeff";

/** What a person adds when the file is not edited for them. */
export const LINE_TO_ADD = `"plugins": { "allow": [${JSON.stringify(PLUGIN_NAME)}] }`;

/**
 * The text with the plugin allowed; the same text where it is already.
 * @throws {SyntaxError} where the text is not JSONC, or `plugins.allow` is no list.
 */
export function withPlugin(text: string): string {
  const { bom, body, root, plugins, allow, list } = read(text);
  if (list.includes(PLUGIN_NAME)) return text;
  const name = JSON.stringify(PLUGIN_NAME);
  if (root === undefined) return `${bom}{\n  ${LINE_TO_ADD}\n}\n`;
  if (allow !== undefined) return bom + insertItem(body, allow, name);
  if (plugins !== undefined) return bom + insertItem(body, plugins, `"allow": [${name}]`);
  return bom + insertItem(body, root, LINE_TO_ADD);
}

/** The text without the plugin; the same text where it is not allowed. */
export function withoutPlugin(text: string): string {
  const { bom, body, allow, list } = read(text);
  const at = list.indexOf(PLUGIN_NAME);
  if (allow === undefined || at < 0) return text;
  return withoutPlugin(bom + removeItem(body, allow, at));
}

/** Whether the host may start the plugin, as far as this file says. */
export function isAllowed(text: string): boolean {
  return read(text).list.includes(PLUGIN_NAME);
}

interface Read {
  bom: string;
  body: string;
  /** `undefined` where the file says nothing. */
  root: Node | undefined;
  plugins?: Node | undefined;
  allow?: Node | undefined;
  /** What is in `plugins.allow`. */
  list: unknown[];
}

function read(text: string): Read {
  const bom = text.startsWith(BOM) ? BOM : "";
  const body = text.slice(bom.length);
  if (body.trim() === "") return { bom, body, root: undefined, list: [] };
  const errors: ParseError[] = [];
  const root = parseTree(body, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    const line = body.slice(0, error.offset).split("\n").length;
    throw new SyntaxError(`${printParseErrorCode(error.error)} in line ${line}`);
  }
  if (root?.type !== "object") throw new SyntaxError("it is no object");
  const plugins = findNodeAtLocation(root, ["plugins"]);
  if (plugins !== undefined && plugins.type !== "object") {
    throw new SyntaxError(`"plugins" is no object`);
  }
  const allow = findNodeAtLocation(root, ["plugins", "allow"]);
  const list: unknown = allow === undefined ? [] : getNodeValue(allow);
  if (!Array.isArray(list)) throw new SyntaxError(`"plugins.allow" is no list`);
  return { bom, body, root, plugins, allow, list };
}

/** The host's `plexum.json`, as far as we look. */
export interface PlexumJson {
  /** Links resolved: the file itself is replaced, not a link to it. */
  path: string;
  /** `undefined` where there is none. */
  text: string | undefined;
  allowed: boolean;
}

/**
 * Reads `<profile>/plexum.json`.
 * @throws {Error} naming the file where it cannot be understood.
 */
export function readPlexumJson(profile: string): PlexumJson {
  const named = join(profile, "plexum.json");
  const text = readIfThere(named);
  if (text === undefined) return { path: named, text, allowed: false };
  try {
    return { path: Deno.realPathSync(named), text, allowed: isAllowed(text) };
  } catch (error) {
    throw new Error(`Cannot use ${named}: ${errorMessage(error)}. Repair it first.`);
  }
}

/** Lets the host start the plugin. */
export function allowStep({ path, text }: PlexumJson): Step {
  return editStep(path, text, withPlugin(text ?? ""), "plugins.allow names the plugin");
}

/** The reverse; `undefined` where there is nothing to take back. */
export function disallowStep({ path, text, allowed }: PlexumJson): Step | undefined {
  if (text === undefined || !allowed) return undefined;
  return editStep(path, text, withoutPlugin(text), "plugins.allow no longer names the plugin");
}

function editStep(path: string, before: string | undefined, after: string, note: string): Step {
  if (before === undefined) return textStep(path, after, 0o600, note);
  if (before === after) return keep(path, note);
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const backup = `${path}.${stamp}.bak`;
  return {
    action: "edit",
    path,
    note: `${note}; the file as it was: ${backup}`,
    apply: () => {
      Deno.copyFileSync(path, backup);
      const mode = (Deno.statSync(path).mode ?? 0o600) & 0o777;
      replaceFile(path, (file) => file.writeSync(new TextEncoder().encode(after)), mode);
    },
  };
}
