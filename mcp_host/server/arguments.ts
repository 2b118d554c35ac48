/**
 * Whether a call's arguments fit the tool's schema, in words that name the field.
 *
 * The validator is the one the MCP SDK brings along. Compiling a schema takes about a millisecond,
 * and the host offers the same tools turn after turn, so what was compiled is kept by the schema's
 * text, for as many schemas as the plugin is likely to see in one day.
 *
 * @module
 */
// @ts-types="@modelcontextprotocol/sdk/validation/ajv"
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import type { Catalogue } from "./catalogue.ts";
import { errorMessage } from "../../base/error_message.ts";

/** Work at one go, in ms, before other turns get a chance. */
const SLICE_MS = 8;
/** Compiled schemas that are kept. */
const COMPILED_MAX = 2000;

type Check = (args: unknown) => string | undefined;

const compiled = new Map<string, Check | { fault: string }>();
/** Spares a call the text of the schema, as long as the turn's catalogue lives. */
const ofObject = new WeakMap<Record<string, unknown>, Check | { fault: string }>();

/** What is wrong with a call's arguments, or `undefined`. */
export function argumentFault(schema: Record<string, unknown>, args: unknown): string | undefined {
  const check = compile(schema);
  return typeof check === "function" ? check(args) : undefined;
}

/**
 * Takes tools out of the catalogue whose schema the validator cannot compile. It takes a schema of
 * a dozen fields about a millisecond, but only the first time a plugin sees it; codex is starting
 * meanwhile. Ends early when `ended` says so.
 */
export async function leaveOutUncompilable(
  catalogue: Catalogue,
  ended: () => boolean,
): Promise<void> {
  let since = performance.now();
  for (const { listed, schema } of catalogue.entries()) {
    if (performance.now() - since > SLICE_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      since = performance.now();
    }
    if (ended()) return;
    const check = compile(schema);
    if (typeof check !== "function") {
      catalogue.leaveOut(listed.name, `its inputSchema cannot be compiled: ${check.fault}`);
    }
  }
}

/** The check for a schema, or why there can be none. */
function compile(schema: Record<string, unknown>): Check | { fault: string } {
  const known = ofObject.get(schema) ?? compileText(schema);
  ofObject.set(schema, known);
  return known;
}

function compileText(schema: Record<string, unknown>): Check | { fault: string } {
  const key = JSON.stringify(schema);
  let entry = compiled.get(key);
  if (entry) compiled.delete(key);
  else entry = compileFresh(schema);
  compiled.set(key, entry);
  if (compiled.size > COMPILED_MAX) {
    for (const oldest of compiled.keys()) {
      compiled.delete(oldest);
      break;
    }
  }
  return entry;
}

function compileFresh(schema: Record<string, unknown>): Check | { fault: string } {
  // `$id` would make the validator remember the schema under a name that two tools may share, and
  // `$schema` may name a dialect it does not have; neither says anything about arguments.
  const { $id: _id, $schema: _dialect, ...plain } = schema;
  try {
    const validate = new AjvJsonSchemaValidator().getValidator<unknown>(plain);
    return (args) => {
      const verdict = validate(args);
      return verdict.valid ? undefined : readable(verdict.errorMessage);
    };
  } catch (error) {
    return { fault: errorMessage(error) };
  }
}

/** "data/path/0 must be string" → "arguments/path/0 must be string", bounded. */
function readable(message: string): string {
  return message.replaceAll(/(^|, )data\b/g, "$1arguments").slice(0, 2000);
}
