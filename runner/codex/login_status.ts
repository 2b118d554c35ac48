/**
 * What `codex login status` says; asked only after a failure that looks like a login problem.
 *
 * @module
 */
import { clip } from "../../base/clip.ts";
import type { Variables } from "../../base/variables.ts";

const TIMEOUT_MS = 5_000;

/** One line; codex answers on stderr (all versions from 0.135 to 0.169). Never rejects. */
export async function loginStatus(codex: string, env: Variables): Promise<string> {
  try {
    const { stdout, stderr } = await new Deno.Command(codex, {
      args: ["login", "status"],
      env,
      clearEnv: true,
      stdin: "null",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).output();
    const text = new TextDecoder();
    const said = `${text.decode(stderr)}\n${text.decode(stdout)}`.trim().split("\n")
      .filter((line) => !line.startsWith("WARNING")).join(" ");
    return clip(`codex login status: ${said === "" ? "no answer" : said}`);
  } catch (error) {
    return clip(`codex login status: ${error instanceof Error ? error.message : error}`);
  }
}
