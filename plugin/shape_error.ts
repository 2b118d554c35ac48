/**
 * Why a value does not have the shape that was asked for, in a sentence a person can act on: the key
 * path, what was expected, what was found; and which known name an unknown one was probably meant to be.
 *
 * @module
 */
import leven from "leven";
import { found } from "../base/json_object.ts";

/** The part of a zod issue that the sentence is made from. */
export interface Issue {
  code?: string | undefined;
  /** Of a `custom` issue: what was expected, in words. */
  message?: string | undefined;
  path: PropertyKey[];
  expected?: unknown;
  values?: readonly unknown[];
  options?: readonly unknown[];
  minimum?: unknown;
  maximum?: unknown;
  origin?: unknown;
  errors?: readonly (readonly Issue[])[];
}

/**
 * One sentence for the first of `issues`, e.g. `request.messages[0].role: expected string, found
 * number 5`. `value` is what was parsed: what was found is looked up in it.
 */
export function describeShapeError(issues: readonly Issue[], value: unknown): string {
  const issue = innermost(issues[0]);
  if (issue === undefined) return "has the wrong shape";
  const path = formatPath(issue.path);
  const what = found(lookUp(value, issue.path));
  return `${path === "" ? "the value" : path}: expected ${expected(issue)}, found ${
    isSecret(issue) ? what.split(" ")[0] : what
  }`;
}

/** A variable may be a password; one that is checked by our own rule is none. */
function isSecret({ code, path }: Issue): boolean {
  return code !== "custom" && path.includes("env");
}

/** A union fails with one list per branch; the branch that got furthest knows best. */
function innermost(issue: Issue | undefined): Issue | undefined {
  if (issue?.code !== "invalid_union" || issue.errors === undefined) return issue;
  const branches = issue.errors.map((branch) => innermost(branch[0]))
    .filter((inner) => inner !== undefined);
  const [deepest] = branches.toSorted((a, b) => b.path.length - a.path.length);
  if (deepest === undefined) return issue;
  if (deepest.path.length > 0) return { ...deepest, path: [...issue.path, ...deepest.path] };
  const alternatives = [...new Set(branches.map(expected))].join(" or ");
  return { code: "invalid_type", path: issue.path, expected: alternatives };
}

function expected(issue: Issue): string {
  const oneOf = issue.values ?? issue.options;
  if (oneOf !== undefined) {
    return (oneOf.length > 1 ? "one of " : "") + oneOf.map((v) => JSON.stringify(v)).join(", ");
  }
  if (issue.code === "too_small") {
    return issue.origin === "string"
      ? `text of at least ${issue.minimum} character`
      : `at least ${issue.minimum}`;
  }
  if (issue.code === "too_big") return `at most ${issue.maximum}`;
  if (issue.code === "custom" && issue.message !== undefined) return issue.message;
  if (issue.expected === "int") return "a whole number";
  if (issue.expected === "record") return "object";
  return typeof issue.expected === "string" ? issue.expected : "another value";
}

function lookUp(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const name = String(key);
    if (!/^[\w$-]+$/.test(name)) return `${text}[${JSON.stringify(name)}]`;
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

/**
 * `config.json` cannot be used; the message is what the host shows. Apart from what reads the file, so
 * that a command line can tell this error from others without loading the schema.
 */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/*
 * "Did you mean …?"
 */

/**
 * The closest of `known`, in the spelling it has there, or `undefined` when none is close: a third
 * of the letters may differ. Case, hyphens and underscores do not count, so `extraArgs` and `version`
 * find `extra_args` and `--version`.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const letters = plain(name);
  const [closest] = known
    .map((candidate) => ({ candidate, distance: leven(letters, plain(candidate)) }))
    .filter(({ distance }) => distance <= Math.max(1, letters.length / 3))
    .filter(({ candidate, distance }) => distance < plain(candidate).length)
    .sort((a, b) => a.distance - b.distance);
  return closest?.candidate;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, "");
}
