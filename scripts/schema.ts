/**
 * docs/schema/*.json: the JSON Schema (2020-12) of everything that a host and the plugin tell each other,
 * and of config.json, from the zod schemas that the plugin itself uses. `deno task docs` writes them.
 */
import * as z from "zod/mini";
import { configJsonSchema } from "../plugin/operator/setup/config_reference.ts";
import * as protocol from "../plugin/protocol.ts";

/** What each file is the schema of. */
const FILES: Record<string, [title: string, schema: z.ZodMiniType]> = {
  "initialize.result": [`Result of ${protocol.METHOD.initialize}`, protocol.InitializeResult],
  "stream.params": [`Params of ${protocol.METHOD.stream}`, protocol.StreamParams],
  "stream.event": [`Params of ${protocol.METHOD.event}`, protocol.EventParams],
  "stream.result": [`Result of ${protocol.METHOD.stream}`, protocol.StreamResult],
  "mutate.params": [`Params of ${protocol.METHOD.mutate}`, protocol.MutateParams],
  "mutate.result": [`Result of ${protocol.METHOD.mutate}`, protocol.MutateResult],
  "host_tool_call.params": [
    `Params of ${protocol.METHOD.hostToolCall}`,
    protocol.HostToolCallParams,
  ],
  "host_tool_call.result": [
    `Result of ${protocol.METHOD.hostToolCall}: an MCP CallToolResult`,
    protocol.HostToolCallResult,
  ],
  "stats.result": [`Result of ${protocol.METHOD.stats}`, protocol.PluginStats],
  "cancelled.params": [`Params of ${protocol.METHOD.cancelled}`, protocol.CancelledParams],
  "log.params": [`Params of ${protocol.METHOD.log}`, protocol.LogParams],
  "set_level.params": [`Params of ${protocol.METHOD.setLogLevel}`, protocol.SetLevelParams],
  "error": ["Data of a -32000 error, and body of an error event", protocol.ErrorBody],
  "manifest": ["manifest.json, and `manifest` in the answer to initialize", protocol.Manifest],
};

/** Shapes that several files share, each a `$defs` entry under its name. */
const SHARED = {
  ContentBlock: protocol.ContentBlock,
  Message: protocol.Message,
  Tool: protocol.Tool,
  Usage: protocol.Usage,
  StopReason: protocol.StopReason,
  ErrorKind: protocol.ErrorKind,
  ErrorBody: protocol.ErrorBody,
  StreamEvent: protocol.StreamEvent,
};

/** Every file's path in the repository, and its text. */
export function schemaFiles(): Map<string, string> {
  for (const [id, schema] of Object.entries(SHARED)) z.globalRegistry.add(schema, { id });
  try {
    const schemas: [string, object][] = Object.entries(FILES).map(([name, [title, schema]]) => {
      const { $schema, ...rest } = z.toJSONSchema(schema, {
        io: "input",
        unrepresentable: "any",
        override: ({ zodSchema, jsonSchema }) => plain(zodSchema._zod.def.type, jsonSchema),
      });
      open(rest.$defs);
      return [name, { $schema, title, ...rest }];
    });
    schemas.push(["config", configJsonSchema()]);
    return new Map(schemas.map(([name, schema]) => {
      return [`docs/schema/${name}.json`, JSON.stringify(schema, null, 2) + "\n"];
    }));
  } finally {
    for (const schema of Object.values(SHARED)) z.globalRegistry.remove(schema);
  }
}

/** Takes out what zod says beyond the protocol, and puts in what it cannot say. */
function plain(type: string, schema: Record<string, unknown>): void {
  // Whoever reads frames ignores fields that it does not know, so that a revision can add some.
  if (type === "object" || type === "record") delete schema.additionalProperties;
  delete schema.propertyNames;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  if (type === "custom") {
    Object.assign(schema, { type: "string", not: { enum: protocol.BLOCK_TYPES } });
  }
  delete schema.id;
}

/** Lets in the events and error kinds that a later revision may add. */
function open({ StreamEvent, ErrorKind }: Record<string, z.core.JSONSchema.JSONSchema> = {}): void {
  if (StreamEvent?.oneOf) {
    const types = StreamEvent.oneOf.map((event) => Object(event).properties.type.const);
    StreamEvent.oneOf.push({
      type: "object",
      properties: { type: { type: "string", not: { enum: types } } },
      required: ["type"],
      description: "Any other type: ignore it.",
    });
  }
  if (ErrorKind?.enum) {
    const { enum: known } = ErrorKind;
    delete ErrorKind.enum;
    ErrorKind.anyOf = [{ enum: known }, { description: "Any other kind: go by `retryable`." }];
  }
}
