/**
 * Where downloads and throw-away files of the tests live: outside the repository, and not below
 * /tmp, because codex warns on stderr about a CODEX_HOME there.
 */
import { join } from "@std/path";

/** `$PLEXUM_TEST_CACHE`, else `$XDG_CACHE_HOME/plexum-openai-provider`, else below `~/.cache`. */
export function cacheDir(): string {
  const chosen = Deno.env.get("PLEXUM_TEST_CACHE");
  if (chosen) return chosen;
  const base = Deno.env.get("XDG_CACHE_HOME") || join(Deno.env.get("HOME") ?? "/var/tmp", ".cache");
  return join(base, "plexum-openai-provider");
}

/**
 * Runs `work` while no other process holds the lock `<cache>/<name>.lock`. The lock is the
 * kernel's, so it does not outlive a process that was killed.
 */
export async function withCacheLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  await Deno.mkdir(cacheDir(), { recursive: true });
  using file = await Deno.open(join(cacheDir(), `${name}.lock`), { create: true, write: true });
  await file.lock(true);
  return await work();
}
