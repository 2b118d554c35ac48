/**
 * A small file system of its own for a test, where the system lets us make one (root on Linux, and
 * not in every container).
 */

/** A mounted tmpfs; unmounted at the end. */
export interface Mounted extends Disposable {
  path: string;
  /** Writable or not from now on. */
  remount(mode: "ro" | "rw"): void;
}

/** Mounts one at `path`, which is made; `undefined` where that is not allowed. */
export function mountSmall(path: string, bytes: number): Mounted | undefined {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return undefined;
  Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!run("mount", "-t", "tmpfs", "-o", `size=${bytes},mode=700`, "none", path)) return undefined;
  return {
    path,
    remount: (mode) => void run("mount", "-o", `remount,${mode}`, path),
    [Symbol.dispose]: () => void run("umount", "-l", path),
  };
}

/** Whether {@link mountSmall} works here. */
export function canMount(): boolean {
  const path = Deno.makeTempDirSync();
  using mounted = mountSmall(path, 65_536);
  return mounted !== undefined;
}

function run(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
