/**
 * Host tools out of a file, for turns without a host.
 *
 * ```json
 * { "tools": [ { "name": "tide", "description": "…", "inputSchema": { "type": "object" },
 *                "result": "High water at noon", "delay_ms": 200 } ] }
 * ```
 * `result` is a text or an MCP CallToolResult; without one the tool answers with its arguments.
 *
 * @module
 */
import { parse as parseJsonc } from "@std/jsonc";
import * as z from "zod/mini";
import { inWords } from "../../../base/error_message.ts";
import { pause } from "../../../base/timer.ts";
import type { HostTool, HostToolCall, HostToolResult } from "../../../mcp_host/host_tool.ts";
import { HostToolCallResult } from "../../protocol.ts";
import { describeShapeError } from "../../shape_error.ts";

const CannedTool = z.looseObject({
  name: z.string().check(z.minLength(1)),
  description: z.optional(z.string()),
  inputSchema: z.optional(z.unknown()),
  annotations: z.optional(z.record(z.string(), z.unknown())),
  result: z.optional(z.union([z.string(), HostToolCallResult])),
  delay_ms: z.optional(z.number()),
});
const CannedTools = z.looseObject({ tools: z.array(CannedTool) });

/** Tools and what they answer. */
export interface Canned {
  tools: HostTool[];
  call(call: HostToolCall): Promise<HostToolResult>;
}

/**
 * Reads the file.
 * @throws {Error} naming the file and the place where it is not as above.
 */
export function readCannedTools(path: string): Canned {
  let value: unknown;
  try {
    value = parseJsonc(Deno.readTextFileSync(path));
  } catch (error) {
    throw new Error(`Cannot read --tools ${path}: ${inWords(error)}`);
  }
  const parsed = z.safeParse(CannedTools, value);
  if (!parsed.success) {
    const why = describeShapeError(parsed.error.issues, value);
    throw new Error(`Cannot use the tools in ${path}: ${why}`);
  }
  const { tools } = parsed.data;
  return {
    tools: tools.map(({ name, description, inputSchema, annotations }) => ({
      name,
      description,
      inputSchema,
      annotations,
    })),
    async call({ name, arguments: args, signal }) {
      const tool = tools.find((one) => one.name === name);
      if (tool === undefined) throw new Error(`there is no tool ${JSON.stringify(name)}`);
      if (tool.delay_ms !== undefined) await pause(tool.delay_ms, signal);
      const result = tool.result ?? args.text;
      return typeof result === "string" ? { content: [{ type: "text", text: result }] } : result;
    },
  };
}
