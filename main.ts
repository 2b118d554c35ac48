/**
 * One executable, three faces: the plugin that a host starts (no arguments), `mcp-host` that codex
 * starts, and the operator's commands. This file only tells them apart.
 *
 * @module
 */

async function main([command, ...rest]: string[]): Promise<number> {
  // Each face is a chunk of its own: mcp-host must not wait for what only the plugin needs.
  switch (command) {
    case undefined: {
      const { serveOrExplain } = await import("./plugin/operator/cli/started_by_hand.ts");
      return await serveOrExplain();
    }
    case "mcp-host":
      if (rest.includes("--help") || rest.includes("-h")) break;
      return await (await import("./mcp_host/relay.ts")).relay(rest);
  }
  return await (await import("./plugin/operator/cli/cli.ts")).runCommand(command, rest);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
