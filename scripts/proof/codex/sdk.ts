/**
 * `@openai/codex-sdk`, codex's own TypeScript package, has types for the lines of `codex exec --json`.
 * Its names are held against our decoder: whatever it names, we must know.
 *
 * @module
 */
import { join } from "@std/path";
import { decodeExecLine } from "../../../runner/exec/wire.ts";
import { CODEX_SDK, npmPackage } from "../../../tests/support/npm_package.ts";
import { latestVersion } from "./version_shape.ts";

/** What the types name. */
export interface SdkNames {
  events: string[];
  items: string[];
}

/** The text of the type definitions of one version, or of npm's `latest`. */
export async function sdkTypes(version: string): Promise<{ version: string; text: string }> {
  const exact = version === "latest" ? await latestVersion(CODEX_SDK[0]) : version;
  const folder = await npmPackage([CODEX_SDK[0], exact]);
  return { version: exact, text: await Deno.readTextFile(join(folder, "dist", "index.d.ts")) };
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
