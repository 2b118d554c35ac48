/**
 * Files that may not be there.
 *
 * @module
 */

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

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
