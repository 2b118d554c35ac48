/**
 * An exclusive `flock` with a time limit.
 *
 * Deno 2.9 can try a lock; Deno 2.4 can only wait for one. There the wait is raced against a timer, and a
 * wait that lost stays behind in the runtime: it is granted when the holder lets go, and since the file
 * was closed by then, released in the same moment. Per path at most one such wait is left behind; while
 * it stands, the lock is known to be held and nothing new is tried.
 *
 * @module
 */

/** A lock that is held until it is disposed of. */
export interface HeldLock extends Disposable {
  readonly file: Deno.FsFile;
}

/** 2.9 and later. */
interface TryLock {
  tryLock(exclusive: boolean): Promise<boolean>;
}

const POLL_MS = 5;
const leftBehind = new Map<string, Promise<void>>();

/** Takes the lock on `path`, a file that is created where it is missing; `undefined` if not in time. */
export async function lockWithin(path: string, limitMs: number): Promise<HeldLock | undefined> {
  if (leftBehind.has(path)) return undefined;
  const file = Deno.openSync(path, { read: true, write: true, create: true, mode: 0o600 });
  try {
    const granted = canTry(file) ? await tryFor(file, limitMs) : await waitFor(file, path, limitMs);
    if (granted) return { file, [Symbol.dispose]: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
  file.close();
  return undefined;
}

/**
 * Resolves when nobody holds the lock on `path`, or `signal` aborts. Rejects with NotFound where there is no
 * such file.
 */
export async function lockReleased(path: string, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const abort = (): void => aborted.resolve();
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    await Promise.race([leftBehind.get(path) ?? leaveBehind(path), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Resolves when no wait for any lock is left behind any more; for a clean end. */
export async function noWaitLeftBehind(): Promise<void> {
  await Promise.all(leftBehind.values());
}

function canTry(file: object): file is TryLock {
  return "tryLock" in file && typeof file.tryLock === "function";
}

async function tryFor(file: TryLock, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs;
  while (!(await file.tryLock(true))) {
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

async function waitFor(file: Deno.FsFile, path: string, limitMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const lock = file.lock(true).then(() => true as const);
  const granted = await Promise.race([lock, late]).finally(() => clearTimeout(timer));
  if (!granted) remember(path, lock);
  return granted;
}

/** Begins a wait that is given back as soon as it is granted. */
function leaveBehind(path: string): Promise<void> {
  const file = Deno.openSync(path, { read: true });
  return remember(path, file.lock(true).finally(() => file.close()));
}

function remember(path: string, wait: Promise<unknown>): Promise<void> {
  const over = wait.then(() => {}, () => {}).finally(() => leftBehind.delete(path));
  leftBehind.set(path, over);
  return over;
}
