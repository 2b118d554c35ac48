/** codex's own TypeScript package, which names the lines of `codex exec --json`, against our decoder. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { decodeExecLine } from "../../runner/exec/wire.ts";
import { CODEX_SDK, npmPackage } from "../support/npm_package.ts";

Deno.test("every event and item that @openai/codex-sdk names is known to the decoder", async () => {
  const folder = await npmPackage(CODEX_SDK);
  const names = namesIn(await Deno.readTextFile(join(folder, "dist", "index.d.ts")));
  assert.ok(names.events.includes("turn.completed") && names.events.length >= 8, `${names.events}`);
  assert.ok(names.items.includes("todo_list") && names.items.length >= 8, `${names.items}`);
  assert.deepEqual(unknownNames(names), []);
});

Deno.test("a name that the decoder does not know is told", () => {
  const names = { events: ["turn.completed", "turn.paused"], items: ["reasoning", "dream"] };
  assert.deepEqual(unknownNames(names), ["turn.paused", "dream"]);
  assert.throws(() => namesIn("type ThreadEvent = Gone;"), /Cannot read the names of ThreadEvent/);
});

/** What the types name. */
interface SdkNames {
  events: string[];
  items: string[];
}

/** The names in the unions `ThreadEvent` and `ThreadItem`. Throws when they are not found. */
function namesIn(types: string): SdkNames {
  return { events: namesOf("ThreadEvent", types), items: namesOf("ThreadItem", types) };
}

/** Those of the names that our decoder takes for unknown or broken. */
function unknownNames({ events, items }: SdkNames): string[] {
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
