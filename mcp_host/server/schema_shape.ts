/**
 * Whether codex will show a tool with this schema.
 *
 * codex reads a schema into types of its own and drops a tool whose schema does not fit them, in
 * silence (0.135.0, 0.150.1 and 0.169.0 agree, bar two cases that only the newer ones drop). What it
 * drops is found here first, so that the host is told, with the place of the fault. This is a look
 * at shapes only, cheap enough for hundreds of tools on the way to a turn.
 *
 * @module
 */
import { isObject } from "../../base/json_object.ts";

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
