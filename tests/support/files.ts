/** What lies in a folder. */
import { join } from "@std/path";
import { unlessMissing } from "../../base/files.ts";

/** The entries of a folder, in the order of their names; none where it is not there. */
function entriesOf(folder: string): Deno.DirEntry[] {
  const entries = unlessMissing(() => [...Deno.readDirSync(folder)]) ?? [];
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Their names. */
export function namesIn(folder: string): string[] {
  return entriesOf(folder).map(({ name }) => name);
}

/** Paths of every file below `folder`. */
export function* walkFiles(folder: string): Iterable<string> {
  for (const { name, isDirectory } of entriesOf(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* walkFiles(path);
    else yield path;
  }
}
