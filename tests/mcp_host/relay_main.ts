/** As much of the executable as the tests in this folder need: `mcp-host`. */
import { relay } from "../../mcp_host/relay.ts";

const [command, ...args] = Deno.args;
if (command !== "mcp-host") throw new Error(`this program knows mcp-host only: ${command}`);
Deno.exit(await relay(args));
