/** A codex that somebody else than the plugin runs in a sandbox. */
import { type ArgvInput, codexArgs } from "../../runner/exec/argv.ts";
import type { Sandbox } from "./sandbox.ts";

/** Starts the sandbox's codex as the plugin would, with that prompt. */
export function runCodex(
  sandbox: Sandbox,
  prompt: string,
  input: Partial<ArgvInput>,
  env: Record<string, string> = {},
): Promise<Deno.ChildProcess> {
  const nothing = { writableRoots: [], extraArgs: [], images: [], config: [] };
  const usual = { cwd: sandbox.workspace, networkAccess: false, sandbox: "read-only" } as const;
  return start(sandbox, codexArgs({ ...usual, ...nothing, ...input }), prompt, env);
}

/** How a run by hand ended. */
export interface ByHand {
  code: number;
  stdout: string;
  stderr: string;
}

/** Has a person run `codex ARGS` in the sandbox's workspace; `text` goes to its stdin. */
export async function codexByHand(sandbox: Sandbox, args: string[], text: string): Promise<ByHand> {
  const { code, stdout, stderr } = await (await start(sandbox, args, text)).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Arguments that resume a thread by hand, with the prompt on stdin. */
export const resumeArgs = (thread: string): string[] => [
  ...["exec", "--json", "--skip-git-repo-check", "--sandbox", "danger-full-access"],
  ...["resume", "--", thread, "-"],
];

async function start(
  sandbox: Sandbox,
  args: string[],
  text: string,
  env: Record<string, string> = {},
): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(sandbox.binary, {
    args,
    cwd: sandbox.workspace,
    clearEnv: true,
    env: { ...sandbox.env, ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return child;
}
