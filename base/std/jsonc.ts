/**
 * `@std/jsonc` for this project, over `npm:jsonc-parser`.
 *
 * That parser never throws: it collects errors and returns a repaired value. `@std/jsonc` throws,
 * and so does this: the first error is a `SyntaxError` that says where it is. Comments and trailing
 * commas are allowed. Binding the name to `jsr:@std/jsonc@^1` must keep every test green.
 */
import { parse as parseTolerantly, type ParseError, printParseErrorCode } from "jsonc-parser";

/** What a JSON text can hold (the real package's `JsonValue`). */
export type JsonValue =
  | { [key: string]: JsonValue | undefined }
  | JsonValue[]
  | string
  | number
  | boolean
  | null;

/** Parses JSON with comments; throws `SyntaxError` ("… at line 3, column 7") on any error. */
export function parse(text: string): JsonValue {
  const errors: ParseError[] = [];
  const value: unknown = parseTolerantly(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined) throw new SyntaxError(describe(text, first));
  return value as JsonValue;
}

function describe(text: string, { error, offset }: ParseError): string {
  const { line, column } = position(text, offset);
  const what = printParseErrorCode(error).replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
  const seen = offset < text.length
    ? `: found ${JSON.stringify(text.slice(offset, offset + 20))}`
    : "";
  return `Cannot parse JSONC: ${what} at line ${line}, column ${column}${seen}`;
}

/** Line and column, both from 1; a column counts UTF-16 units, as editors do. */
function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}
