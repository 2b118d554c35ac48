/**
 * `plugins.allow` in the host's `plexum.json`: read and edited as JSONC, so that the comments and the
 * order of what a person wrote stay.
 *
 * @module
 */
import { parse as parseJsonc } from "@std/jsonc";
import { join } from "@std/path";
import { applyEdits, type JSONPath, modify } from "jsonc-parser";
import { inWords } from "../../../base/error_message.ts";
import { isObject } from "../../../base/json_object.ts";
import { PLUGIN_NAME } from "../../self.ts";
import { replaceByCopy, replaceFile } from "../../../base/durable.ts";
import { readIfThere } from "../../../base/files.ts";
import { type FileChange, keep, textChange } from "./file_change.ts";

const BOM = "\ufeff";
const ALLOW: JSONPath = ["plugins", "allow"];

/** What a person adds when the file is not edited for them. */
export const LINE_TO_ADD = `"plugins": { "allow": [${JSON.stringify(PLUGIN_NAME)}] }`;

/**
 * The text with the plugin allowed; the same text where it is already.
 * @throws {SyntaxError} where the text is not JSONC, or `plugins.allow` is not a list.
 */
export function withPlugin(text: string): string {
  const { list, body } = read(text);
  if (list?.includes(PLUGIN_NAME)) return text;
  return list === undefined
    ? edit(text, body.trim() === "" ? "{}\n" : body, ALLOW, [PLUGIN_NAME])
    : edit(text, body, [...ALLOW, 0], PLUGIN_NAME);
}

/** The text without the plugin; the same text where it is not allowed. */
export function withoutPlugin(text: string): string {
  const { list = [], body } = read(text);
  const at = list.indexOf(PLUGIN_NAME);
  if (at < 0) return text;
  // jsonc-parser breaks some texts when it removes the last item: then the list is written anew.
  return at < list.length - 1
    ? withoutPlugin(edit(text, body, [...ALLOW, at], undefined))
    : edit(text, body, ALLOW, list.filter((name) => name !== PLUGIN_NAME));
}

/** Whether the host may start the plugin, as far as this file says. */
export function isAllowed(text: string): boolean {
  return read(text).list?.includes(PLUGIN_NAME) ?? false;
}

/** @param value `undefined` removes what is there. */
function edit(text: string, body: string, path: JSONPath, value: unknown): string {
  const edited = applyEdits(
    body,
    modify(body, path, value, {
      isArrayInsertion: value !== undefined,
      // First: what stands behind the last one may be a comment that is about it.
      getInsertionIndex: () => 0,
      formattingOptions: {
        eol: body.includes("\r\n") ? "\r\n" : "\n",
        insertSpaces: !/^\t/m.test(body),
        tabSize: /^( +)\S/m.exec(body)?.[1]?.length ?? 2,
        keepLines: true,
      },
    }),
  );
  return (text.startsWith(BOM) ? BOM : "") + edited;
}

/** The list is `undefined` where the file has none. */
function read(text: string): { body: string; list: unknown[] | undefined } {
  const body = text.startsWith(BOM) ? text.slice(BOM.length) : text;
  const root = body.trim() === "" ? {} : parseJsonc(body);
  if (!isObject(root)) throw new SyntaxError("the file holds something else than an object");
  const { plugins = {} } = root;
  if (!isObject(plugins)) throw new SyntaxError(`"plugins" is not an object`);
  const { allow } = plugins;
  if (allow !== undefined && !Array.isArray(allow)) {
    throw new SyntaxError(`"plugins.allow" is not a list`);
  }
  return { body, list: allow };
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
  try {
    const text = readIfThere(named);
    if (text === undefined) return { path: named, text, allowed: false };
    return { path: Deno.realPathSync(named), text, allowed: isAllowed(text) };
  } catch (error) {
    throw new Error(`Cannot use ${named}: ${inWords(error)}. Repair it first.`);
  }
}

/** Lets the host start the plugin. */
export function allowChange({ path, text }: PlexumJson): FileChange {
  return editChange(path, text, withPlugin(text ?? ""), "plugins.allow names the plugin");
}

/** The reverse; `undefined` where there is nothing to take back. */
export function disallowChange({ path, text, allowed }: PlexumJson): FileChange | undefined {
  if (text === undefined || !allowed) return undefined;
  return editChange(path, text, withoutPlugin(text), "plugins.allow no longer names the plugin");
}

function editChange(
  path: string,
  before: string | undefined,
  after: string,
  note: string,
): FileChange {
  if (before === undefined) return textChange(path, after, 0o600, note);
  if (before === after) return keep(path, note);
  const backup = `${path}.bak`;
  return {
    action: "edit",
    path,
    note: `${note}; the file as it was: ${backup}`,
    apply: () => {
      const mode = (Deno.statSync(path).mode ?? 0o600) & 0o777;
      replaceByCopy(backup, path, mode);
      replaceFile(path, after, mode);
    },
  };
}
