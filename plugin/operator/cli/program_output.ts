/** Runs a program to its end and says what it said; never rejects. */
import { ProgramError, runProgram } from "../../../base/program.ts";
import { errorMessage } from "../../../base/error_message.ts";

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
  const tail = (text: string) => text.trim().slice(-KEPT);
  const { timeoutMs: timeMs, ...place } = options;
  try {
    const { code, stdout, stderr } = await runProgram(command, args, { ...place, timeMs });
    return { code, stdout: tail(stdout), stderr: tail(stderr) };
  } catch (error) {
    const stdout = error instanceof ProgramError ? tail(error.stdout) : "";
    return { code: undefined, stdout, stderr: errorMessage(error) };
  }
}
