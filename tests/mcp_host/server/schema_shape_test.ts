import { strict as assert } from "node:assert";
import {
  SCHEMA_DEPTH_MAX,
  SCHEMA_NODES_MAX,
  schemaFault,
} from "../../../mcp_host/server/model_schema.ts";

const holding = (a: unknown) => ({ type: "object", properties: { a } });

Deno.test("schema that codex shows has no fault", () => {
  const fine: unknown[] = [
    { type: "object" },
    holding(true),
    holding({ anyOf: [{ type: "string" }, { type: "null" }] }),
    holding({ type: "array", prefixItems: [{ type: "string" }], items: true }),
    holding({ type: ["string", "null"], enum: ["a", null], default: { properties: 5 } }),
    { type: "object", properties: { properties: {}, items: { type: "string" } } },
    { type: "object", additionalProperties: { type: "string" }, required: ["a"] },
    { type: "object", $defs: { q: { type: "string" } }, properties: { a: { $ref: "#/$defs/q" } } },
  ];
  for (const schema of fine) assert.equal(schemaFault(schema), undefined, JSON.stringify(schema));
});

Deno.test("schema that codex drops in silence has a fault with its place", () => {
  const broken: [unknown, RegExp][] = [
    [holding(5), /inputSchema\.properties\.a is not a schema/],
    [holding(null), /inputSchema\.properties\.a is not a schema/],
    [holding({ type: "array", items: [{}] }), /a\.items is a list, .* use prefixItems/],
    [holding({ anyOf: {} }), /a\.anyOf is not a list/],
    [holding({ allOf: [{}, 5] }), /a\.allOf\.1 is not a schema/],
    [holding({ enum: "x" }), /a\.enum is not a list/],
    [holding({ description: 5 }), /a\.description is not a string/],
    [holding({ $ref: 5 }), /a\.\$ref is not a string/],
    [{ type: "object", properties: [] }, /inputSchema\.properties is not a JSON object/],
    [{ type: "object", required: "a" }, /inputSchema\.required is not a list of strings/],
    [{ type: "object", additionalProperties: 5 }, /additionalProperties is not a schema/],
    [{ type: "object", $defs: { q: 5 } }, /\$defs\.q is not a schema/],
  ];
  for (const [schema, fault] of broken) assert.match(schemaFault(schema) ?? "none", fault);
});

Deno.test("schema that is too deep or too large is refused without being walked whole", () => {
  let deep: unknown = { type: "string" };
  for (let depth = 0; depth < SCHEMA_DEPTH_MAX; depth++) deep = holding(deep);
  assert.match(schemaFault(deep) ?? "", /nests deeper than 100/);
  const wide = holding({ enum: Array.from({ length: SCHEMA_NODES_MAX }, (_, index) => index) });
  assert.match(schemaFault(wide) ?? "", /more than 20000 values/);
});
