/**
 * The tools that the MCP conformance suite asks a server to have, as a host would offer and answer
 * them; what each must do is told by the suite's own descriptions of its scenarios.
 */
import type { Tool } from "../../plugin/protocol.ts";
import type { RequestHandler } from "../support/peer.ts";
import { RpcError } from "../support/rpc_error.ts";

/** A red pixel, and a sound of no samples. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=";

const text = (text: string) => ({ type: "text", text });
const image = { type: "image", data: PNG, mimeType: "image/png" };
const resource = (uri: string, mimeType: string, text: string) => ({
  type: "resource",
  resource: { uri, mimeType, text },
});

/** Tool name → its content. */
const CONTENT: Record<string, unknown[]> = {
  test_simple_text: [text("This is a simple text response for testing.")],
  test_image_content: [image],
  test_audio_content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }],
  test_embedded_resource: [
    resource("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ],
  test_multiple_content_types: [
    text("Multiple content types test:"),
    image,
    resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ],
};

const ANY = { type: "object", properties: {} };

/** As a host offers them. */
export const CONFORMANCE_TOOLS: Tool[] = [
  ...[...Object.keys(CONTENT), "test_error_handling"].map((name) => ({
    name,
    description: `Conformance: ${name}`,
    inputSchema: ANY,
  })),
  {
    name: "json_schema_2020_12_tool",
    description: "Tool with JSON Schema 2020-12 features",
    inputSchema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
      additionalProperties: false,
    },
  },
];

/** As a host answers them. */
export const conformanceAnswer: RequestHandler = ({ name }) => {
  const content = CONTENT[String(name)];
  if (content) return { content };
  throw new RpcError({
    code: -32000,
    message: "This tool intentionally returns an error for testing",
  });
};
