/**
 * What `codex login status` says; asked only after a failure that looks like a login problem.
 *
 * @module
 */
import { clip, errorMessage } from "../../base/error_message.ts";
import { runProgram, type Variables } from "../../base/program.ts";

const TIMEOUT_MS = 5_000;

/** One line; codex answers on stderr (all versions from 0.135 to 0.169). Never rejects. */
export async function loginStatus(
  codex: string,
  env: Variables,
  signal?: AbortSignal,
): Promise<string> {
  try {
    const { stdout, stderr } = await runProgram(codex, ["login", "status"], {
      env,
      timeMs: TIMEOUT_MS,
      signal,
    });
    const said = `${stderr}\n${stdout}`.trim().split("\n")
      .filter((line) => !line.startsWith("WARNING")).join(" ");
    return clip(`codex login status: ${said === "" ? "no answer" : said}`);
  } catch (error) {
    return clip(`codex login status: ${errorMessage(error)}`);
  }
}
