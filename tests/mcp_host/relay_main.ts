/** The relay as a program of its own, for tests that need no plugin. */
import { relay } from "../../mcp_host/relay.ts";

Deno.exit(await relay(Deno.args));
