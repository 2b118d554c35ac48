/** What must not be there when no turn runs. */
import { join } from "@std/path";
import type { Sandbox } from "../../../tests/support/sandbox.ts";

/** Sockets of turns; what is under way or half written; state that is torn or was set aside. */
export function leftIn(
  { profile, runtime }: Sandbox,
): { sockets: string[]; unfinished: string[]; torn: string[] } {
  const state = join(profile, "plugins/plexum-openai-provider/state");
  const files = pathsIn(state);
  const torn = files.filter((path) =>
    /\.(?:broken|refused|journal|part)\b/.test(path) || (path.endsWith(".json") && !isJson(path))
  );
  const unfinished = files.filter((path) => path.endsWith(".tmp"));
  return {
    sockets: pathsIn(runtime),
    unfinished: [...unfinished, ...pathsIn(join(state, "running"))],
    torn,
  };
}

/** Whether codex has recorded the prompt `turn N` in the thread. */
export function recorded(codexHome: string, thread: string, turn: number): boolean {
  const sessions = join(codexHome, "sessions");
  const find = (directory: string): string | undefined => {
    for (const { name, isDirectory } of entriesOf(directory)) {
      const path = join(directory, name);
      const found = isDirectory ? find(path) : name.endsWith(`${thread}.jsonl`) ? path : undefined;
      if (found !== undefined) return found;
    }
  };
  const path = find(sessions);
  return path !== undefined && Deno.readTextFileSync(path).includes(`turn ${turn}`);
}

function isJson(path: string): boolean {
  try {
    JSON.parse(Deno.readTextFileSync(path));
    return true;
  } catch {
    return false;
  }
}

function pathsIn(directory: string): string[] {
  return entriesOf(directory).map(({ name }) => join(directory, name));
}

function entriesOf(path: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(path)];
  } catch {
    return [];
  }
}
