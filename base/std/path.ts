/**
 * `@std/path` for this project: POSIX paths over `node:path/posix`.
 *
 * The registry that serves the real package is not reachable from every machine that builds this
 * project, so deno.json binds the name to this file. It has the real names and the real behaviour
 * for everything the project calls; where node answers differently from `@std/path` (`dirname` and
 * `basename` of odd paths, file URLs), the answer of `@std/path` is given. Binding the name to
 * `jsr:@std/path@^1` must keep every test green.
 */
import { posix } from "node:path";

/** Joins the parts and normalizes the result; no parts give `"."`. */
export function join(...parts: string[]): string {
  return posix.join(...parts);
}

/** The absolute path the parts lead to, right to left, from the working directory if need be. */
export function resolve(...parts: string[]): string {
  return posix.resolve(...parts);
}

/** The way from one path to another, `""` when they are the same. */
export function relative(from: string, to: string): string {
  return posix.relative(from, to);
}

/** Whether the path begins at the root. */
export function isAbsolute(path: string): boolean {
  return posix.isAbsolute(path);
}

/** All but the last part, without the separators between the two (`/a//b` → `/a`). */
export function dirname(path: string): string {
  const dir = posix.dirname(path);
  return dir.replace(/(?<=[^/])\/+$/, "");
}

/** The last part, without `suffix` unless that is all there is (`.c` keeps `.c`; `/` stays `/`). */
export function basename(path: string, suffix = ""): string {
  const base = posix.basename(path);
  if (base === "" && path.startsWith("/")) return "/";
  return suffix !== "" && base !== suffix && base.endsWith(suffix)
    ? base.slice(0, -suffix.length)
    : base;
}

/** The path of a `file:` URL; throws `TypeError` for every other protocol. */
export function fromFileUrl(url: string | URL): string {
  const { protocol, pathname } = new URL(url);
  if (protocol !== "file:") {
    throw new TypeError(`URL must be a file URL: received "${protocol}"`);
  }
  return decodeURIComponent(pathname.replace(/%(?![0-9A-Fa-f]{2})/g, "%25"));
}
