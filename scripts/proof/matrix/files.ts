/**
 * The files below a folder.
 *
 * @module
 */
import { join } from "@std/path";

/** Paths of every file below `folder`, in the order of their names. */
export function* walkFiles(folder: string): Iterable<string> {
  const entries = [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    const path = join(folder, name);
    if (isDirectory) yield* walkFiles(path);
    else yield path;
  }
}
