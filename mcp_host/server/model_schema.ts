/**
 * The schema of a tool's arguments: as the model is shown it, and whether codex will show it at all.
 *
 * The model's service refuses a whole request for one tool with a combinator at the top of its schema
 * (`anyOf`, `oneOf`, `allOf`, `enum`, `const`, `not`, `$ref` beside `type: object`). Such a schema
 * becomes a plain object that accepts at least the same: the properties of all branches, required what
 * all of them require, and the rule in words. Arguments are held against the original all the same.
 * Deeper down combinators are fine and stay.
 *
 * @module
 */
import { isObject } from "../../base/json_object.ts";

/** What the model is shown: a schema, and a rule where it had to be left out of that. */
export type ModelSchema =
  | { schema: Schema; rule: string | undefined; fault?: undefined }
  | { fault: string };

/** A JSON Schema that is an object. */
export type Schema = Record<string, unknown>;

const COMBINATORS = ["anyOf", "oneOf", "allOf", "enum", "const", "not", "$ref"] as const;
/** What else of the top speaks of single properties and has its place in {@link Plain}. */
const MERGED = ["properties", "required", "additionalProperties", ...COMBINATORS] as const;
/** References and branches inside of branches that are followed. */
const DEPTH_MAX = 16;
/** Branches that are looked at; each one may stand in many others. */
const BRANCHES_MAX = 1000;
const RULE_MAX = 1500;
const WORDS_MAX = 200;

/** Objects as one schema describes them. */
interface Plain {
  /** Property → what it may be, each a schema of its own. */
  properties: Map<string, unknown>;
  required: Set<string>;
  /** Whether other properties are refused. */
  closed: boolean;
  rules: string[];
}

class Unwritable extends Error {}

/** Rewrites a schema that has a combinator at its top; any other is shown as it is. */
export function modelSchema(schema: Schema): ModelSchema {
  if (!COMBINATORS.some((keyword) => keyword in schema)) return { schema, rule: undefined };
  try {
    const document = { root: schema, branchesLeft: BRANCHES_MAX };
    const { properties, required, closed, rules } = plain(schema, document, 0);
    const rest = Object.entries(schema).filter(([key]) => !MERGED.some((merged) => merged === key));
    const kept = schema.additionalProperties;
    const shown: Schema = {
      ...Object.fromEntries(rest),
      type: "object",
      properties: Object.fromEntries(properties),
      ...(required.size > 0 ? { required: [...required] } : {}),
      ...(closed
        ? { additionalProperties: false }
        : isObject(kept)
        ? { additionalProperties: kept }
        : {}),
    };
    refuseLostReferences(shown);
    const rule = rules.join(" ");
    return { schema: shown, rule: rule === "" ? undefined : clip(rule, RULE_MAX) };
  } catch (error) {
    if (error instanceof Unwritable) return { fault: error.message };
    throw error;
  }
}

/** What a schema is part of. */
interface Document {
  root: Schema;
  branchesLeft: number;
}

/** What `schema` says about objects. */
function plain(schema: unknown, document: Document, depth: number): Plain {
  if (depth > DEPTH_MAX) throw new Unwritable("its inputSchema refers to itself at the top");
  if (document.branchesLeft-- === 0) {
    throw new Unwritable(`its inputSchema has more than ${BRANCHES_MAX} branches at the top`);
  }
  // `true` accepts everything; of `false` nothing can be said but that.
  if (!isObject(schema)) {
    return { properties: new Map(), required: new Set(), closed: false, rules: [] };
  }
  const whole: Plain = {
    properties: new Map(isObject(schema.properties) ? Object.entries(schema.properties) : []),
    required: new Set(Array.isArray(schema.required) ? schema.required.map(String) : []),
    closed: schema.additionalProperties === false && !isObject(schema.patternProperties),
    rules: [],
  };
  const parts: Plain[] = [whole];
  const down = (inner: unknown) => plain(inner, document, depth + 1);
  if (typeof schema.$ref === "string") parts.push(down(resolve(schema.$ref, document.root)));
  if (Array.isArray(schema.allOf)) parts.push(...schema.allOf.map(down));
  for (const [keyword, words] of [["anyOf", "at least one"], ["oneOf", "exactly one"]] as const) {
    const branches = schema[keyword];
    if (!Array.isArray(branches)) continue;
    const possible = branches.filter((branch) => branch !== false && isForObjects(branch));
    if (possible.length === 0) throw new Unwritable(`no object fits ${keyword} of its inputSchema`);
    parts.push(any(possible.map(down)));
    const listed = possible.map((branch, i) => `(${i + 1}) ${inWords(branch, document.root, 0)}`)
      .join("; ");
    whole.rules.push(`Of these, ${words} must hold: ${listed}.`);
  }
  if ("not" in schema) {
    whole.rules.push(`This must not hold: ${inWords(schema.not, document.root, 0)}.`);
  }
  const values = "const" in schema ? [schema.const] : schema.enum;
  if (Array.isArray(values)) {
    const objects = values.filter(isObject);
    if (objects.length === 0) {
      throw new Unwritable("no object is among the values of its inputSchema");
    }
    parts.push(any(objects.map(ofValue)));
    const listed = objects.map((value) => clip(JSON.stringify(value), WORDS_MAX)).join(", ");
    whole.rules.push(`The arguments must be one of: ${listed}.`);
  }
  return all(parts);
}

/** Objects that fit every one of `parts`, and perhaps more. */
function all(parts: Plain[]): Plain {
  const properties = new Map<string, unknown>();
  for (const [name, schema] of parts.flatMap((part) => [...part.properties])) {
    const known = properties.get(name);
    properties.set(
      name,
      known === undefined || sameSchema(known, schema) ? schema : {
        allOf: [known, schema],
      },
    );
  }
  return {
    properties,
    required: new Set(parts.flatMap((part) => [...part.required])),
    closed: parts.some((part) => part.closed),
    rules: parts.flatMap((part) => part.rules),
  };
}

/** Objects that fit one of `branches`, and perhaps more. */
function any(branches: Plain[]): Plain {
  const names = new Set(branches.flatMap((branch) => [...branch.properties.keys()]));
  const properties = new Map<string, unknown>();
  for (const name of names) {
    const choices: unknown[] = [];
    for (const branch of branches) {
      // An open branch that does not know the property takes anything for it.
      const choice = branch.properties.get(name) ?? (branch.closed ? undefined : {});
      if (choice === undefined || choices.some((known) => sameSchema(known, choice))) continue;
      choices.push(choice);
    }
    properties.set(name, choices.length === 1 ? choices[0] : { anyOf: choices });
  }
  const [first, ...others] = branches;
  const required = [...first?.required ?? []];
  return {
    properties,
    required: new Set(required.filter((name) => others.every((other) => other.required.has(name)))),
    closed: branches.every((branch) => branch.closed),
    rules: [],
  };
}

/** The one object that a value of `enum` is. */
function ofValue(value: Record<string, unknown>): Plain {
  const entries = Object.entries(value);
  return {
    properties: new Map(entries.map(([name, inner]) => [name, { enum: [inner] }])),
    required: new Set(Object.keys(value)),
    closed: true,
    rules: [],
  };
}

/** Whether a branch can accept an object at all. */
function isForObjects(branch: unknown): boolean {
  if (!isObject(branch) || branch.type === undefined) return true;
  return branch.type === "object" ||
    (Array.isArray(branch.type) && branch.type.includes("object"));
}

/** The schema that a reference within the document names. */
function resolve(reference: string, root: Schema): unknown {
  if (reference !== "#" && !reference.startsWith("#/")) {
    throw new Unwritable(`its inputSchema refers to another document: ${clip(reference, 100)}`);
  }
  let at: unknown = root;
  for (const step of reference.split("/").slice(1)) {
    const key = decodeURIComponentOr(step).replaceAll("~1", "/").replaceAll("~0", "~");
    at = Array.isArray(at) ? at[Number(key)] : isObject(at) ? at[key] : undefined;
    if (at === undefined) {
      throw new Unwritable(`its inputSchema refers to what is not there: ${clip(reference, 100)}`);
    }
  }
  return at;
}

function decodeURIComponentOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What lay at the top is somewhere else now, so only references to definitions still hold. */
function refuseLostReferences(schema: Schema): void {
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if (!Array.isArray(node) && "$ref" in node && typeof node.$ref === "string") {
      if (!/^#\/(\$defs|definitions)\//.test(node.$ref)) {
        throw new Unwritable(
          `its inputSchema has a combinator at the top, and refers to ${clip(node.$ref, 100)}`,
        );
      }
    }
    for (const inner of Object.values(node)) visit(inner);
  };
  visit(schema);
}

/** A branch in a few words: which values it fixes, what it requires. */
function inWords(schema: unknown, root: Schema, depth: number): string {
  if (depth > DEPTH_MAX) throw new Unwritable("its inputSchema refers to itself at the top");
  if (!isObject(schema)) return JSON.stringify(schema) ?? "anything";
  if (typeof schema.$ref === "string") {
    return inWords(resolve(schema.$ref, root), root, depth + 1);
  }
  const properties = isObject(schema.properties) ? Object.entries(schema.properties) : [];
  const fixed = properties.flatMap(([name, inner]) => {
    if (!isObject(inner)) return [];
    if ("const" in inner) return [`${name} is ${JSON.stringify(inner.const)}`];
    if (!Array.isArray(inner.enum)) return [];
    return [`${name} is one of ${inner.enum.map((value) => JSON.stringify(value)).join(", ")}`];
  });
  const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
  const given = required.length > 0 ? [`${required.join(", ")} given`] : [];
  const words = [...fixed, ...given].join(", ");
  const title = typeof schema.title === "string" ? `${schema.title}: ` : "";
  return clip(words === "" ? title + JSON.stringify(schema) : title + words, WORDS_MAX);
}

function sameSchema(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function clip(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1).toWellFormed()}…`;
}

/*
 * Whether codex will show a tool with this schema.
 *
 * codex reads a schema into types of its own and drops a tool whose schema does not fit them, in
 * silence (0.135.0, 0.150.1 and 0.169.0 agree, bar two cases that only the newer ones drop). What it
 * drops is found here first, so that the host is told, with the place of the fault. This is a look
 * at shapes only, cheap enough for hundreds of tools on the way to a turn.
 */

/** Nesting of JSON above which a schema is refused; codex's parser gives up at 128. */
export const SCHEMA_DEPTH_MAX = 100;
/** Values in one schema above which it is refused. */
export const SCHEMA_NODES_MAX = 20_000;

/** What is wrong with the schema of a tool's arguments, or `undefined`. */
export function schemaFault(schema: unknown): string | undefined {
  if (!isObject(schema)) return "its inputSchema is not a JSON object";
  if (schema.type !== "object") {
    return `its inputSchema has type ${JSON.stringify(schema.type) ?? "none"}, it must be "object"`;
  }
  return sizeFault(schema) ?? shapeFault(schema, "inputSchema");
}

function sizeFault(schema: unknown): string | undefined {
  let nodes = 0;
  let level: unknown[] = [schema];
  for (let depth = 0; level.length > 0; depth++) {
    nodes += level.length;
    if (depth > SCHEMA_DEPTH_MAX) return `its inputSchema nests deeper than ${SCHEMA_DEPTH_MAX}`;
    if (nodes > SCHEMA_NODES_MAX) return `its inputSchema has more than ${SCHEMA_NODES_MAX} values`;
    level = level.flatMap((node) => typeof node === "object" && node ? Object.values(node) : []);
  }
  return undefined;
}

function shapeFault(schema: unknown, path: string): string | undefined {
  if (typeof schema === "boolean") return undefined;
  if (!isObject(schema)) return `${path} is not a schema: it is neither an object nor a boolean`;
  for (const [keyword, value] of Object.entries(schema)) {
    const fault = keywordFault(keyword, value, `${path}.${keyword}`);
    if (fault) return fault;
  }
  return undefined;
}

function keywordFault(keyword: string, value: unknown, path: string): string | undefined {
  switch (keyword) {
    case "description":
    case "$ref":
      return typeof value === "string" ? undefined : `${path} is not a string`;
    case "enum":
      return Array.isArray(value) ? undefined : `${path} is not a list`;
    case "required":
      return Array.isArray(value) && value.every((name) => typeof name === "string")
        ? undefined
        : `${path} is not a list of strings`;
    case "items":
      return Array.isArray(value)
        ? `${path} is a list, which codex does not take: use prefixItems`
        : shapeFault(value, path);
    case "additionalProperties":
      return shapeFault(value, path);
    case "anyOf":
    case "allOf":
    case "oneOf":
      if (!Array.isArray(value)) return `${path} is not a list`;
      return firstFault(value.entries(), path);
    case "properties":
    case "$defs":
    case "definitions":
      return isObject(value)
        ? firstFault(Object.entries(value), path)
        : `${path} is not a JSON object`;
    default:
      return undefined;
  }
}

function firstFault(
  schemas: Iterable<[string | number, unknown]>,
  path: string,
): string | undefined {
  for (const [name, schema] of schemas) {
    const fault = shapeFault(schema, `${path}.${name}`);
    if (fault) return fault;
  }
  return undefined;
}
