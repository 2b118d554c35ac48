/** Files and processes of another user: what only root can make, and root of a container not always. */

let can: boolean | undefined;

/** Whether a file can be given to another user here. */
export function canGiveAway(): boolean {
  return can ??= Deno.build.os !== "windows" && Deno.uid() === 0 && tryIt();
}

function tryIt(): boolean {
  const path = Deno.makeTempFileSync();
  try {
    Deno.chownSync(path, 65534, 65534);
    return true;
  } catch {
    return false; // the user is not mapped into this namespace
  } finally {
    Deno.removeSync(path);
  }
}
