/**
 * How this program can be started again: codex starts it as its MCP server.
 *
 * @module
 */

/**
 * The path and the arguments before a command. Compiled, that is the executable alone; under `deno
 * run` it is Deno with what a relay may need, and the module that was started.
 */
export function self(mainModule: string): string[] {
  if (Deno.build.standalone) return [Deno.execPath()];
  const bundled = mainModule.endsWith(".mjs");
  return [
    Deno.execPath(),
    "run",
    ...(bundled ? ["--no-config"] : []),
    "--no-check",
    "--no-prompt",
    "--deny-import",
    "--allow-read",
    "--allow-write",
    "--allow-net",
    "--allow-env",
    mainModule,
  ];
}
