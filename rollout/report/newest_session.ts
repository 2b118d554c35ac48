/**
 * How codex keeps its newest session.
 *
 * @module
 */
import { join } from "@std/path";
import { openOwnFile } from "../../base/open_file.ts";

const HEAD_BYTES = 256 * 1024;

/** `paginated` (0.148 and later) or `legacy`; `undefined` where there is no session. */
export function newestHistoryMode(codexHome: string): string | undefined {
  let path = join(codexHome, "sessions");
  for (let depth = 0; depth < 4; depth++) {
    const newest = namesIn(path).filter((name) => /^\d+$|^rollout-.*\.jsonl$/.test(name)).sort()
      .at(-1);
    if (newest === undefined) return undefined;
    path = join(path, newest);
  }
  return /"history_mode":"(\w+)"/.exec(firstLineOf(path))?.[1] ?? "legacy";
}

function namesIn(directory: string): string[] {
  try {
    return Array.from(Deno.readDirSync(directory), ({ name }) => name);
  } catch {
    return [];
  }
}

function firstLineOf(path: string): string {
  try {
    using opened = openOwnFile(path);
    const buffer = new Uint8Array(HEAD_BYTES);
    const read = opened.file.readSync(buffer) ?? 0;
    return new TextDecoder().decode(buffer.subarray(0, read)).split("\n")[0] ?? "";
  } catch {
    return "";
  }
}
