/** A shell with the mark of a turn. */
import { markedCommand, TURN_MARK } from "../../runner/process/turn_mark.ts";

/** Starts a marked shell; resolves with the pids it printed. */
export async function started(mark: string, script: string): Promise<number[]> {
  const { path, args } = markedCommand("/bin/sh", ["-c", script], mark);
  const { stdout } = await new Deno.Command(path, {
    args,
    env: { ...Deno.env.toObject(), [TURN_MARK]: mark },
    clearEnv: true,
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout).trim().split(/\s+/).map(Number);
}
