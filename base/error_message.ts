/**
 * Errors as text: what they say, in words, and in at most 2 KiB where they travel.
 *
 * @module
 */

/** What an unknown thrown value says. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or directory",
  EACCES: "this user is not allowed to",
  EPERM: "this user is not allowed to",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "it is a circle of symbolic links",
};

/** What the system refused, in words and without the path; what any other error says. */
export function inWords(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return WORDS[code] ?? errorMessage(error).replace(/ \(os error \d+\).*/s, "");
}

/** Whether the machine had too little of something just then: processes, memory, file descriptors. */
export function isShortage(error: unknown): boolean {
  // EAGAIN (35 on macOS), ENOMEM, ENFILE, EMFILE
  return /\(os error (?:11|35|12|23|24)\)/.test(errorMessage(error));
}

/** Longest message or detail, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 2048;

/** `text` in at most 2 KiB of UTF-8, with "…" where something was left out; `fromEnd` keeps the tail. */
export function clip(text: string, fromEnd = false): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= MAX_TEXT_BYTES) return text;
  const room = MAX_TEXT_BYTES - 3; // "…" is three bytes
  const kept = fromEnd ? bytes.subarray(bytes.length - room) : bytes.subarray(0, room);
  const part = new TextDecoder().decode(wholeCharacters(kept));
  return fromEnd ? `…${part}` : `${part}…`;
}

/** Without what a cut left of a character at either end. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
  const isTail = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;
  let start = 0;
  while (isTail(bytes[start])) start++;
  let last = bytes.length - 1;
  while (isTail(bytes[last])) last--;
  const first = bytes[last] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return bytes.subarray(start, last + length <= bytes.length ? bytes.length : last);
}
