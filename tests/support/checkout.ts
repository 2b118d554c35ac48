/**
 * This checkout: where it is, and the executable of its sources as they are now.
 *
 * The build is `scripts/`'s business; it is run as a program, so that nothing here depends on it.
 */
import { fromFileUrl, join } from "@std/path";

/** The folder that holds deno.json. */
export const ROOT: string = fromFileUrl(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** How to start the program: `command` with `args` before its own arguments. */
export interface Executable {
  command: string;
  args: string[];
  /** Whether it is the compiled program; false when Deno runs the bundle. */
  compiled: boolean;
}

let current: Promise<Executable> | undefined;

/** The executable, built first when a source has changed. `task test` has asked for it already. */
export function executable(): Promise<Executable> {
  return current ??= ask();
}

async function ask(): Promise<Executable> {
  const known = Deno.env.get("PLEXUM_TEST_EXECUTABLE");
  if (known) return JSON.parse(known) as Executable;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", join(ROOT, "scripts", "executable.ts")],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("Cannot build the executable: the reason stands above");
  return JSON.parse(new TextDecoder().decode(stdout)) as Executable;
}
