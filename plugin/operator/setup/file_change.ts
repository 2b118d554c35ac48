/**
 * A change to the profile that can be shown before it is made.
 *
 * @module
 */
import { join } from "@std/path";
import { replaceFile, TEMPORARY } from "../../../base/durable.ts";
import { exists, readIfThere } from "../../../base/files.ts";

/** A temporary file that nobody has written to for so long is nobody's. */
const SETTLED_MS = 60_000;

/** One thing that install or uninstall does. */
export interface FileChange {
  /** `keep` has nothing to do: everything is as it should be. */
  action: "create" | "replace" | "edit" | "remove" | "keep";
  path: string;
  /** What the path is, and more where there is something to know. */
  note: string;
  apply(): void | Promise<void>;
}

/** A change that does nothing. */
export function keep(path: string, note: string): FileChange {
  return { action: "keep", path, note, apply: () => {} };
}

/** Puts `text` at `path` with this mode; nothing to do where it stands there already. */
export function textChange(path: string, text: string, mode: number, note: string): FileChange {
  const before = readIfThere(path);
  if (before === text) return keep(path, note);
  return {
    action: before === undefined ? "create" : "replace",
    path,
    note,
    apply: () => replaceFile(path, (file) => file.writeSync(new TextEncoder().encode(text)), mode),
  };
}

/** Removes a file; `undefined` where there is none. */
export function removeChange(
  path: string,
  note: string,
  recursive = false,
): FileChange | undefined {
  if (!exists(path)) return undefined;
  return { action: "remove", path, note, apply: () => Deno.removeSync(path, { recursive }) };
}

/** Removes what a killed install left in `directory`; one that is under way is left alone. */
export function removeLeftovers(directory: string): void {
  for (const { name } of Deno.readDirSync(directory)) {
    if (!name.startsWith(TEMPORARY) || !name.endsWith(".tmp")) continue;
    const { mtime } = Deno.lstatSync(join(directory, name));
    if (Date.now() - (mtime?.getTime() ?? 0) > SETTLED_MS) Deno.removeSync(join(directory, name));
  }
}
