/** Runs the relay and writes to stderr which permissions were left at its end. */
import { relay } from "../../mcp_host/relay.ts";

const code = await relay([]);
const names = ["run", "read", "write", "net", "env", "ffi", "sys"] as const;
const left = names.map((name) => [name, Deno.permissions.querySync({ name }).state]);
Deno.stderr.writeSync(new TextEncoder().encode(JSON.stringify(Object.fromEntries(left))));
Deno.exit(code);
