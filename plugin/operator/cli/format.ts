/**
 * Calls, outputs and turns in few words and numbers.
 *
 * @module
 */
import { oneLine } from "./printable.ts";

/** A number with separators. */
export function count(n: number): string {
  return n.toLocaleString("en");
}

/** `1 call`, `2 calls`. */
export function many(n: number, one: string): string {
  return `${count(n)} ${one}${n === 1 ? "" : "s"}`;
}

/** Bytes, for people. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_500) return `${(bytes / 1e3).toFixed(bytes < 9950 ? 1 : 0)} kB`;
  return `${(bytes / 1e6).toFixed(bytes < 9.95e6 ? 1 : 0)} MB`;
}

/** Local time to the minute. */
export function timeOf(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return oneLine(iso);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What a call is about: the command of a shell call, else its arguments. */
export function callSubject(args: string): string {
  try {
    const value: unknown = JSON.parse(args);
    if (typeof value === "object" && value !== null) {
      const command = "cmd" in value ? value.cmd : "command" in value ? value.command : undefined;
      if (typeof command === "string") return oneLine(command);
      if (Array.isArray(command)) return oneLine(command.join(" "));
    }
    return oneLine(JSON.stringify(value));
  } catch {
    return oneLine(args);
  }
}
