/** A codex that a person runs in a sandbox, beside the plugin. */
import type { Sandbox } from "../support/sandbox.ts";

/** How a run by hand ended. */
export interface ByHand {
  code: number;
  stdout: string;
  stderr: string;
}

/** Starts `codex ARGS` in the sandbox's workspace; `text` goes to its stdin. */
export async function codexByHand(
  native: string,
  sandbox: Sandbox,
  args: string[],
  text = "",
): Promise<ByHand> {
  const child = new Deno.Command(native, {
    args,
    cwd: sandbox.workspace,
    env: sandbox.env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Arguments that resume a thread by hand, with the prompt on stdin. */
export const resumeArgs = (thread: string): string[] => [
  ...["exec", "--json", "--skip-git-repo-check", "--sandbox", "danger-full-access"],
  ...["resume", "--", thread, "-"],
];
