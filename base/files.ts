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
