/**
 * A system that fails, or that somebody else changes, at one call of ours: what a test cannot bring about
 * otherwise without luck.
 */

/** The calls that may be stood in for. */
type Call =
  | "openSync"
  | "readTextFileSync"
  | "realPath"
  | "lstatSync"
  | "statSync"
  | "readDirSync"
  | "removeSync";

/** What the system says when a process has no descriptor left; it passes. */
export const TOO_MANY_FILES = "Too many open files (os error 24)";

/** Lets `call` of this path fail until the test's scope ends. */
export function failing(call: Call, path: string, message = TOO_MANY_FILES): Disposable {
  return instead(call, path, () => {
    throw new Error(message);
  });
}

/** Lets so many reads of open files fail, as a worn disk or a lost server does, at most until the scope ends. */
export function failingReads(times = Infinity): Disposable {
  const real = Deno.FsFile.prototype.readSync;
  let left = times;
  Deno.FsFile.prototype.readSync = function (bytes) {
    if (left-- > 0) throw new Error("Input/output error (os error 5)");
    return real.call(this, bytes);
  };
  return { [Symbol.dispose]: () => void (Deno.FsFile.prototype.readSync = real) };
}

/** Does `also` right after the first `call` of this path. */
export function after(call: Call, path: string, also: () => void): Disposable {
  let called = false;
  return instead(call, path, (work) => {
    const result = work();
    if (!called) {
      called = true;
      also();
    }
    return result;
  });
}

function instead(
  call: Call,
  path: string,
  act: (work: () => unknown) => unknown,
): Disposable {
  const calls = Deno as unknown as Record<Call, (...args: unknown[]) => unknown>;
  const real = calls[call];
  calls[call] = (...args) =>
    args[0] === path ? act(() => real.apply(Deno, args)) : real.apply(Deno, args);
  return { [Symbol.dispose]: () => void (calls[call] = real) };
}
