/**
 * Where builds and tests keep downloads, and where tests make throw-away files: both outside the
 * repository.
 */
import { join } from "@std/path";

/** `$PLEXUM_CACHE`, else `$XDG_CACHE_HOME/plexum-openai-provider`, else below `~/.cache`. */
export function cacheDir(env: Pick<Deno.Env, "get"> = Deno.env): string {
  const base = env.get("XDG_CACHE_HOME") || join(env.get("HOME") || "/var/tmp", ".cache");
  return env.get("PLEXUM_CACHE") || join(base, "plexum-openai-provider");
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

/** Folders of tests are named so, which tells what a killed run left. */
const PREFIX = "plexum-test-";

/**
 * A new folder for one test, which removes it. Always in `/var/tmp`, whatever HOME and TMPDIR are:
 * its path is short enough for a unix socket in it, and it is no place that codex treats specially
 * (below the temp directory, a command may write in every sandbox and codex warns about its home).
 */
export function newTestFolder(): string {
  removeLeftovers();
  return Deno.realPathSync(Deno.makeTempDirSync({ dir: "/var/tmp", prefix: PREFIX }));
}

/** What a killed test run of ours left is removed by a later one, a day after. */
function removeLeftovers(): void {
  const yesterday = Date.now() - 24 * 60 * 60_000;
  for (const { name } of Deno.readDirSync("/var/tmp")) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join("/var/tmp", name);
    try {
      const { mtime, uid } = Deno.lstatSync(path);
      if (uid !== Deno.uid() || (mtime?.getTime() ?? Infinity) > yesterday) continue;
      Deno.removeSync(path, { recursive: true });
    } catch {
      // Somebody else removed it.
    }
  }
}
