/** Runs a program to its end and says what it said; never rejects. */

/** How a program ended. */
export interface ProgramOutput {
  /** `undefined` when it could not be started or was stopped for taking too long. */
  code: number | undefined;
  stdout: string;
  /** Its stderr, or why it could not be run. */
  stderr: string;
}

/** The longest tail of either stream that is kept, in characters. */
const KEPT = 4000;

/** Runs `command` with exactly this environment. */
export async function programOutput(
  command: string,
  args: readonly string[],
  options: { env: Record<string, string>; cwd?: string; timeoutMs: number },
): Promise<ProgramOutput> {
  const signal = AbortSignal.timeout(options.timeoutMs);
  try {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args: [...args],
      env: options.env,
      clearEnv: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      stdin: "null",
      signal,
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim().slice(-KEPT);
    if (!signal.aborted) return { code, stdout: text(stdout), stderr: text(stderr) };
    return {
      code: undefined,
      stdout: text(stdout),
      stderr: `no answer in ${options.timeoutMs / 1000} s`,
    };
  } catch (error) {
    return {
      code: undefined,
      stdout: "",
      stderr: error instanceof Error ? error.message : String(error),
    };
  }
}
