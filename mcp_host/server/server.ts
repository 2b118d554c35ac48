/**
 * The MCP server that codex talks to: one per connection, the official SDK's low-level `Server`.
 *
 * This file and what it imports load the SDK (about 55 ms), so it is imported lazily, by turns that
 * bring tools.
 *
 * @module
 */
import { Server } from "@modelcontextprotocol/sdk/server";
// @ts-types="@modelcontextprotocol/sdk/types"
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { CallToolResult, ListToolsResult } from "@modelcontextprotocol/sdk/types";
// @ts-types="@modelcontextprotocol/sdk/validation/ajv"
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import { compile } from "./arguments.ts";
import type { CallDesk, CallRequest } from "./calls.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Guest } from "../listener/gate.ts";
import { ConnTransport, UNREAD_MAX_BYTES } from "./transport.ts";

/** What the servers of one turn have in common. */
export interface Service {
  catalogue: Catalogue;
  desk: CallDesk;
  /** Shown to the model as the description of the tools' namespace. */
  instructions: string;
  version: string;
  onStatus: (message: string, data?: Record<string, unknown>) => void;
}

/** A connection being served. */
export interface Session {
  closed: Promise<void>;
  close(): Promise<void>;
}

/** Unused by us, but a `Server` without one makes its own, which costs milliseconds. */
const elicitationValidator = new AjvJsonSchemaValidator();

/** Work at one go, in ms, before other turns get a chance. */
const SLICE_MS = 8;

/**
 * Takes tools out of the catalogue whose schema the validator cannot compile. It takes a schema of
 * a dozen fields about a millisecond, but only the first time a plugin sees it; codex is starting
 * meanwhile. Ends early when the turn does.
 */
export async function leaveOutUncompilable(
  catalogue: Catalogue,
  ended: () => boolean,
): Promise<void> {
  let since = performance.now();
  for (const tool of catalogue.listed) {
    if (performance.now() - since > SLICE_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      since = performance.now();
    }
    if (ended()) return;
    const check = compile(tool.inputSchema);
    if (typeof check !== "function") {
      catalogue.leaveOut(tool.name, `its inputSchema cannot be compiled: ${check.fault}`);
    }
  }
}

/** Serves MCP on a connection until either side closes it. */
export async function serve(guest: Guest, service: Service): Promise<Session> {
  const { catalogue, desk, instructions, version, onStatus } = service;
  const transport = new ConnTransport(guest.conn, guest.rest);
  const server = new Server({ name: "plexum-host", version }, {
    capabilities: { tools: {} },
    instructions,
    jsonSchemaValidator: elicitationValidator,
  });
  const closed = Promise.withResolvers<void>();
  server.onclose = () => closed.resolve();
  let reported = false;
  server.onerror = ({ message }) => {
    // Once per connection, and without what may follow in the message: what codex sent.
    const [error] = message.split(/[:{]/);
    if (!reported) onStatus("host tools: a message from codex was not understood", { error });
    reported = true;
  };

  // codex before 0.164 reads the first page only, so there is one.
  server.setRequestHandler(ListToolsRequestSchema, () => {
    return { tools: catalogue.listed } as ListToolsResult;
  });

  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const request: CallRequest = {
      name: params.name,
      arguments: params.arguments ?? {},
      signal: extra.signal,
      check(schema, args) {
        const check = compile(schema);
        return typeof check === "function" ? check(args) : undefined;
      },
    };
    const callId = extra._meta?.callId;
    if (typeof callId === "string") request.callId = callId;
    const progressToken = extra._meta?.progressToken;
    if (progressToken !== undefined) {
      request.onProgress = (progress) => {
        // Progress is only worth sending to somebody who reads.
        if (transport.unwritten > UNREAD_MAX_BYTES / 4) return;
        const params = { ...progress, progressToken };
        extra.sendNotification({ method: "notifications/progress", params }).catch(() => {});
      };
    }
    return await desk.run(request) as CallToolResult;
  });

  await server.connect(transport);
  return { closed: closed.promise, close: () => server.close() };
}
