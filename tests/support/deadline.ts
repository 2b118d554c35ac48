/**
 * One deadline for everything a test waits for. It is no measurement: it only turns "hangs for ever"
 * into a message that says what was waited for and what had happened by then.
 */

/** Long enough for a loaded two-core machine. */
export const DEADLINE_MS = 60_000;

/** Settles as `promise` does; rejects with what `describe` tells when it has not by the deadline. */
export async function within<T>(
  promise: Promise<T>,
  what: string,
  describe: () => string = () => "",
  deadlineMs: number = DEADLINE_MS,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Waited ${deadlineMs} ms for ${what}, in vain.\n${describe()}`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
