/** The published JSON Schemas are those of the program, and a slip is noticed. */
import { strict as assert } from "node:assert";
import { basename, join, relative } from "@std/path";
import { ROOT } from "../../scripts/project.ts";
import { schemaFiles } from "../../scripts/schema.ts";
import { walkFiles } from "../support/files.ts";

interface Schema {
  $schema?: string;
  title?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  $ref?: string;
  $defs?: Record<string, Schema>;
}

/** By their names in docs/schema. */
const FILES = new Map([...schemaFiles()].map(([path, text]) => [basename(path), text]));

function schema(name: string): Schema {
  const parsed: Schema = JSON.parse(FILES.get(name) ?? "{}");
  return parsed;
}

Deno.test("docs/schema has the files that `deno task docs` writes, and no other", () => {
  const there = walkFiles(join(ROOT, "docs", "schema"));
  assert.deepEqual(
    [...there].map((path) => relative(ROOT, path)),
    [...schemaFiles().keys()].sort(),
  );
});

Deno.test("schemas are JSON Schema 2020-12 with a title, and whole in themselves", () => {
  for (const [name, text] of FILES) {
    const { $schema, title, $defs = {} } = schema(name);
    assert.equal($schema, "https://json-schema.org/draft/2020-12/schema", name);
    assert.ok(title, name);
    for (const [, target = ""] of text.matchAll(/"\$ref": "([^"]+)"/g)) {
      assert.ok(target.replace("#/$defs/", "") in $defs, `${name}: ${target}`);
    }
  }
});

Deno.test("schema of an event names every type once, and lets a revision add types and fields", () => {
  const event = schema("stream.event.json").$defs?.StreamEvent;
  const types = event?.oneOf?.map(({ properties }) => properties?.type?.const) ?? [];
  assert.deepEqual(types, [
    "message_start",
    "text_delta",
    "text_retracted",
    "thinking_delta",
    "tool_call_start",
    "tool_call_end",
    "tool_result",
    "status",
    "error",
    "message_end",
    undefined, // Whatever a later revision adds.
  ]);
  const added = { type: "string", not: { enum: types.slice(0, -1) } };
  assert.deepEqual(event?.oneOf?.at(-1)?.properties?.type, added);
  for (const [name, text] of FILES) {
    assert.ok(name === "config.json" || !text.includes("additionalProperties"), name);
  }
});

Deno.test("schemas require what a good turn has, and let a revision add error kinds", () => {
  const { properties, required } = schema("stream.params.json");
  assert.deepEqual(required, ["agent", "request"]);
  assert.deepEqual(properties?.agent?.required, ["workspace"]);
  const [known, any] = schema("error.json").$defs?.ErrorKind?.anyOf ?? [];
  assert.ok(known?.enum?.includes("internal"));
  assert.deepEqual(Object.keys(any ?? {}), ["description"]);
});
