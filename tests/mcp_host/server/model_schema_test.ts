import { strict as assert } from "node:assert";
import fc from "fast-check";
import { argumentFault } from "../../../mcp_host/server/arguments.ts";
import {
  modelSchema,
  SCHEMA_DEPTH_MAX,
  SCHEMA_NODES_MAX,
  schemaFault,
} from "../../../mcp_host/server/model_schema.ts";

type Schema = Record<string, unknown>;

function shown(schema: Schema): { schema: Schema; rule: string | undefined } {
  const result = modelSchema(schema);
  assert.ok(result.fault === undefined, result.fault);
  return result;
}

function faultOf(schema: Schema): string {
  return modelSchema(schema).fault ?? "";
}

const string = { type: "string" };
const number = { type: "number" };

Deno.test("schema without a combinator at its top is shown as it is, whatever is below", () => {
  const schema = { type: "object", properties: { a: { anyOf: [string, number] } }, not_: 1 };
  assert.equal(shown(schema).schema, schema);
});

Deno.test("anyOf of requirements keeps the properties and says the rule", () => {
  const { schema, rule } = shown({
    type: "object",
    title: "T",
    properties: { id: string, name: string },
    additionalProperties: false,
    anyOf: [{ required: ["id"] }, { required: ["name"] }],
  });
  assert.deepEqual(schema, {
    type: "object",
    title: "T",
    properties: { id: string, name: string },
    additionalProperties: false,
  });
  assert.equal(rule, "Of these, at least one must hold: (1) id given; (2) name given.");
});

Deno.test("oneOf of kinds has the properties of all and requires what all require", () => {
  const kind = (name: string, more: Schema) => ({
    type: "object",
    properties: { kind: { const: name }, ...more },
    required: ["kind", ...Object.keys(more)],
    additionalProperties: false,
  });
  const { schema, rule } = shown({
    type: "object",
    oneOf: [kind("mail", { to: string }), kind("call", { number })],
  });
  assert.deepEqual(schema, {
    type: "object",
    properties: { kind: { anyOf: [{ const: "mail" }, { const: "call" }] }, to: string, number },
    required: ["kind"],
    additionalProperties: false,
  });
  assert.equal(
    rule,
    'Of these, exactly one must hold: (1) kind is "mail", kind, to given; ' +
      '(2) kind is "call", kind, number given.',
  );
});

Deno.test("allOf and $ref at the top are merged, and definitions stay", () => {
  const $defs = {
    base: { properties: { a: { $ref: "#/$defs/id" } }, required: ["a"] },
    id: string,
  };
  const { schema, rule } = shown({
    type: "object",
    $defs,
    $ref: "#/$defs/base",
    allOf: [{ properties: { b: number }, required: ["b"] }],
  });
  assert.deepEqual(schema, {
    type: "object",
    $defs,
    properties: { a: { $ref: "#/$defs/id" }, b: number },
    required: ["a", "b"],
  });
  assert.equal(rule, undefined, "nothing is lost that would have to be said");
});

Deno.test("enum, const and not at the top", () => {
  const { schema, rule } = shown({ type: "object", enum: [{ a: 1 }, { a: 2, b: true }, "no"] });
  assert.deepEqual(schema, {
    type: "object",
    properties: { a: { anyOf: [{ enum: [1] }, { enum: [2] }] }, b: { enum: [true] } },
    required: ["a"],
    additionalProperties: false,
  });
  assert.equal(rule, 'The arguments must be one of: {"a":1}, {"a":2,"b":true}.');
  const not = shown({ type: "object", properties: { a: string }, not: { required: ["a", "b"] } });
  assert.deepEqual(not.schema, { type: "object", properties: { a: string } });
  assert.equal(not.rule, "This must not hold: a, b given.");
});

Deno.test("what cannot be rewritten is told with its reason", () => {
  const object = { type: "object" };
  assert.match(faultOf({ ...object, $ref: "https://example.com/x" }), /refers to another document/);
  assert.match(faultOf({ ...object, $ref: "#/$defs/none" }), /refers to what is not there/);
  assert.match(faultOf({ ...object, $ref: "#" }), /refers to itself at the top/);
  assert.match(faultOf({ ...object, not: { $ref: "#/not" } }), /refers to itself at the top/);
  const loop = { $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } };
  assert.match(faultOf({ ...object, ...loop, oneOf: [{ $ref: "#/$defs/a" }] }), /refers to itself/);
  assert.match(faultOf({ ...object, enum: ["a", 1] }), /no object is among the values/);
  assert.match(faultOf({ ...object, anyOf: [string, false] }), /no object fits anyOf/);
  const inside = { ...object, anyOf: [{ properties: { a: { $ref: "#/anyOf/0" } } }] };
  assert.match(faultOf(inside), /has a combinator at the top, and refers to #\/anyOf\/0/);
});

Deno.test("schema whose branches stand in each other many times is left out, not followed to its end", () => {
  const $defs: Record<string, unknown> = { d7: {} };
  for (let n = 0; n < 7; n++) {
    $defs[`d${n}`] = { anyOf: Array(12).fill({ $ref: `#/$defs/d${n + 1}` }) };
  }
  assert.match(faultOf({ type: "object", $ref: "#/$defs/d0", $defs }), /more than 1000 branches/);
});

const leaf: fc.Arbitrary<unknown> = fc.constantFrom(
  ...[string, number, { const: "x" }, { enum: [1, "y"] }, {}, { type: "boolean" }, true],
);
/** Schemas whose combinators nest so many levels deep. */
function branch(depth: number): fc.Arbitrary<Schema> {
  const inner = depth === 0 ? fc.constant<Schema>({}) : branch(depth - 1);
  const list = fc.array(inner, { minLength: 1, maxLength: 2 });
  return fc.record({
    properties: fc.dictionary(fc.constantFrom("a", "b", "c"), leaf, { maxKeys: 3 }),
    required: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 2 }),
    additionalProperties: fc.constant(false),
    ...(depth === 0 ? {} : { anyOf: list, oneOf: list, allOf: list, not: inner }),
  }, { requiredKeys: [] });
}
const value = fc.dictionary(
  fc.constantFrom("a", "b", "c", "d"),
  fc.constantFrom<unknown>("x", "y", 1, true, null),
);

Deno.test("the schema that is shown accepts whatever the tool accepts, with nothing at its top", () => {
  fc.assert(
    fc.property(branch(2), fc.array(value, { minLength: 10, maxLength: 10 }), (part, values) => {
      const original = { ...part, type: "object" };
      const result = modelSchema(original);
      if (result.fault !== undefined) return;
      for (const keyword of ["anyOf", "oneOf", "allOf", "enum", "const", "not", "$ref"]) {
        assert.ok(!(keyword in result.schema), keyword);
      }
      for (const args of values) {
        if (argumentFault(original, args) !== undefined) continue;
        assert.equal(argumentFault(result.schema, args), undefined, JSON.stringify(args));
      }
    }),
    { numRuns: 200 },
  );
});

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
