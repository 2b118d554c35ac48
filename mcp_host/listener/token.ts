/** The secret a relay shows to be let in: random, made for one turn, compared in constant time. */

const TOKEN_BITS = 256;

/** A fresh token: 256 random bits as 64 hex digits. */
export function newToken(): string {
  return randomHex(TOKEN_BITS / 8);
}

/** `bytes` random bytes as lower-case hex digits. */
export function randomHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Whether two tokens are the same. The time it takes depends on the length of `shown` only, so a
 * stranger learns nothing about how much of a guess was right.
 */
export function sameToken(expected: string, shown: string): boolean {
  let difference = expected.length ^ shown.length;
  for (let at = 0; at < shown.length; at++) {
    difference |= shown.charCodeAt(at) ^ expected.charCodeAt(at % expected.length);
  }
  return difference === 0;
}
