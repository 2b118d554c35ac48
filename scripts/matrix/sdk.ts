/**
 * `@openai/codex-sdk`, codex's own TypeScript package, has types for the lines of `codex exec --json`.
 * Its names are held against our decoder: whatever it names, we must know.
 *
 * @module
 */
import { join } from "@std/path";
import { decodeExecLine } from "../../runner/exec/exec_events.ts";
import { cacheDir } from "../../tests/support/cache.ts";

/** The package whose names the suite checks; `deno task matrix -- --drift` also checks npm's latest. */
export const SDK_VERSION = "0.163.0";

/** What the types name. */
export interface SdkNames {
  events: string[];
  items: string[];
}

/** The text of its type definitions. Fetched from npm once; only the package itself, no codex. */
export async function sdkTypes(version: string): Promise<{ version: string; text: string }> {
  const folder = join(cacheDir(), "npm");
  await Deno.mkdir(folder, { recursive: true });
  const kept = join(folder, `codex-sdk-${version}.d.ts`);
  const known = await Deno.readTextFile(kept).catch(() => undefined);
  if (known !== undefined) return { version, text: known };
  const packed = await output("npm", [
    ...["pack", `@openai/codex-sdk@${version}`, "--json", "--ignore-scripts"],
    ...["--loglevel=error", "--pack-destination", folder],
  ]);
  const [{ filename, version: exact }] = JSON.parse(packed) as [
    { filename: string; version: string },
  ];
  const text = await output("tar", ["-xzOf", join(folder, filename), "package/dist/index.d.ts"]);
  await Deno.remove(join(folder, filename));
  // A tag moves, so only a version is kept.
  if (version === exact) await Deno.writeTextFile(kept, text);
  return { version: exact, text };
}

/** The names in the unions `ThreadEvent` and `ThreadItem`. Throws when they are not found. */
export function namesIn(types: string): SdkNames {
  return { events: namesOf("ThreadEvent", types), items: namesOf("ThreadItem", types) };
}

/** Those of the names that our decoder takes for unknown or broken. */
export function unknownNames({ events, items }: SdkNames): string[] {
  const lines = [
    ...events.map((type) => ({ name: type, type, item: sample("command_execution") })),
    ...items.map((item) => ({ name: item, type: "item.completed", item: sample(item) })),
  ];
  return lines.filter(({ type, item }) => {
    const line = { type, item, thread_id: "t", message: "m", error: { message: "m" }, usage: {} };
    const decoded = decodeExecLine(new TextEncoder().encode(JSON.stringify(line)));
    return decoded === undefined || decoded.type === "unknown" || decoded.type === "broken";
  }).map(({ name }) => name);
}

function sample(type: string): Record<string, unknown> {
  return { id: "item_0", type, text: "t", message: "m", query: "q", items: [] };
}

function namesOf(union: string, types: string): string[] {
  const members = new RegExp(`type ${union} = ([^;{]+);`).exec(types)?.[1]?.split("|") ?? [];
  const names = members.map((member) =>
    new RegExp(`type ${member.trim()} = \\{[^}]*?\\btype: "([^"]+)"`).exec(types)?.[1]
  );
  if (names.length > 0 && names.every((name) => name !== undefined)) return names;
  throw new Error(`Cannot read the names of ${union} in the types of codex-sdk: ${members}`);
}

async function output(command: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, stdin: "null" })
    .output();
  const decoder = new TextDecoder();
  if (code === 0) return decoder.decode(stdout);
  throw new Error(
    `${command} ${args[0]} failed, exit ${code}: ${decoder.decode(stderr).slice(-500)}`,
  );
}
