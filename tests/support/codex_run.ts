/** A codex that somebody else than the plugin runs in a sandbox. */
import { type ArgvInput, codexArgs } from "../../runner/exec/argv.ts";
import type { Sandbox } from "./sandbox.ts";

/** Starts the sandbox's codex as the plugin would, with that prompt. */
export async function runCodex(
  sandbox: Sandbox,
  prompt: string,
  input: Partial<ArgvInput>,
  env: Record<string, string> = {},
): Promise<Deno.ChildProcess> {
  const nothing = { writableRoots: [], extraArgs: [], images: [], config: [] };
  const usual = { cwd: sandbox.workspace, networkAccess: false, sandbox: "read-only" } as const;
  const child = new Deno.Command(sandbox.binary, {
    args: codexArgs({ ...usual, ...nothing, ...input }),
    clearEnv: true,
    env: { ...sandbox.env, ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(prompt));
  await writer.close();
  return child;
}
