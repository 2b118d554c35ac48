/**
 * Files that may not be there.
 *
 * An error of Deno costs 0.1 to 0.2 ms, ten to thirty times what it costs to ask first, and a turn looks for
 * dozens of files that are mostly not there.
 *
 * @module
 */
import { existsSync } from "node:fs";

/** Whether `path` leads to something. False for a link to nowhere. */
export function isThere(path: string): boolean {
  return existsSync(path);
}

/** The text of a file, `undefined` where there is none. */
export function readIfThere(path: string): string | undefined {
  return unlessMissing(() => Deno.readTextFileSync(path));
}

/** Whether there is anything at `path`, be it a dangling link. */
export function exists(path: string): boolean {
  return unlessMissing(() => Deno.lstatSync(path)) !== undefined;
}

/** What `look` returns, `undefined` where it finds nothing at its path. */
export function unlessMissing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Removes a file; whether there was one that could be removed. */
export function removeIfThere(path: string): boolean {
  if (!isThere(path)) return false;
  try {
    Deno.removeSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether `path` leads to a regular file, perhaps by a link. */
export function isFile(path: string): boolean {
  return statOf(path)?.isFile ?? false;
}

/** Whether `path` leads to a directory, perhaps by a link. */
export function isDirectory(path: string): boolean {
  return statOf(path)?.isDirectory ?? false;
}

/** The state of what `path` leads to, as far as it shows from outside; empty where that is nothing. */
export function stampOf(path: string): string {
  const { mtime, size, ino } = statOf(path) ?? {};
  return size === undefined ? "" : `${mtime?.getTime()} ${size} ${ino}`;
}

/** What `path` leads to; `undefined` where that is nothing, or nothing that may be seen. */
export function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return isThere(path) ? Deno.statSync(path) : undefined;
  } catch {
    return undefined;
  }
}
