/**
 * From a command line to the arguments of a command, by the command's own table. What is not
 * understood is named, with the nearest thing that is.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { resolve } from "@std/path";
import { type ProfilePaths, profilePaths, profileRoot } from "../../profile.ts";
import { nearest } from "../../shape_error.ts";
import { type Action, HELP, type Option, PROFILE } from "./command.ts";

/** The command line is not understood; the message says why and what to type instead. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Parsed arguments. */
export class Arguments {
  readonly #values: ReadonlyMap<string, readonly (string | true)[]>;
  /** What stands beside the options, in order. */
  readonly words: readonly string[];

  constructor(values: ReadonlyMap<string, readonly (string | true)[]>, words: readonly string[]) {
    this.#values = values;
    this.words = words;
  }

  /** The value of an option; `undefined` when it is not there. */
  text(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  /** The values of an option that may stand more than once. */
  all(name: string): string[] {
    return (this.#values.get(name) ?? []).filter((value) => value !== true);
  }

  /** Whether a switch is there. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** A whole number of at least `min`. */
  number(name: string, min: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= min && Number.isSafeInteger(number)) return number;
    throw new UsageError(`--${name} needs a whole number of at least ${min}, found "${text}"`);
  }
}

/**
 * Parses `argv` for `command`.
 * @throws {UsageError} for an unknown option, a missing or unexpected value, one option twice, too few
 * or too many words.
 */
export function parseArguments(argv: string[], command: Action): Arguments {
  const options = [...command.options, HELP];
  const { tokens } = parseArgs({
    args: argv,
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      options.map(({ name, short, value }) => [
        name,
        { type: value === undefined ? "boolean" : "string", ...(short ? { short } : {}) } as const,
      ]),
    ),
  });
  const values = new Map<string, (string | true)[]>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const option = options.find(({ name }) => name === token.name);
    if (option === undefined) throw unknownOption(token.rawName, options);
    const swallowed = token.inlineValue === false && /^-./.test(token.value);
    const value = valueOf(option, token.rawName, swallowed ? undefined : token.value);
    const before = values.get(option.name) ?? [];
    if (before.length > 0 && option.value !== undefined && option.repeats !== true) {
      throw new UsageError(`${token.rawName} is given twice`);
    }
    values.set(option.name, [...before, value]);
  }
  if (!values.has(HELP.name)) checkWords(words, command);
  return new Arguments(values, words);
}

function valueOf(option: Option, rawName: string, value: string | undefined): string | true {
  if (option.value === undefined) {
    if (value === undefined) return true;
    throw new UsageError(`${rawName} takes no value, found "${value}"`);
  }
  if (value === undefined || value === "") {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value}`);
  }
  const allowed = typeof option.kind === "object" ? option.kind : undefined;
  if (allowed !== undefined && !allowed.includes(value)) {
    throw new UsageError(
      `${rawName} takes ${allowed.map((one) => `"${one}"`).join(" or ")}, found "${value}"`,
    );
  }
  return value;
}

function unknownOption(rawName: string, options: readonly Option[]): UsageError {
  const known = options.map(({ name }) => `--${name}`);
  const meant = nearest(rawName, known);
  return new UsageError(
    `unknown option ${rawName}` + (meant === undefined ? "" : `, did you mean ${meant}?`),
  );
}

function checkWords(words: readonly string[], { words: wanted }: Action): void {
  const max = wanted?.max ?? 0;
  if (words.length > max) {
    throw new UsageError(`unexpected argument ${JSON.stringify(words[max])}`);
  }
  if (wanted !== undefined && words.length < wanted.min) {
    throw new UsageError(`${wanted.usage} is missing`);
  }
}

/** The paths of the profile that `--profile`, which must exist, or else the environment, names. */
export function profileOf(args: Arguments): ProfilePaths {
  const named = args.text(PROFILE.name);
  if (named === undefined) return profilePaths(profileRoot((name) => Deno.env.get(name)));
  return profilePaths(resolve(directoryOf(PROFILE.name, named)));
}

/** The same for a command that makes the profile where there is none. */
export function newProfileOf(args: Arguments): ProfilePaths {
  const named = args.text(PROFILE.name);
  return named === undefined ? profileOf(args) : profilePaths(resolve(named));
}

/** The value of an option that names a directory. @throws {UsageError} where there is none. */
export function directoryOf(option: string, named: string): string {
  try {
    if (Deno.statSync(named).isDirectory) return named;
  } catch {
    // Said below.
  }
  throw new UsageError(`--${option} needs a directory that exists, found "${named}"`);
}
