/**
 * How deep a value goes. JSON.parse reads any depth, but what reads the value after it, and
 * JSON.stringify, call themselves for each level and run out of stack.
 *
 * @module
 */

/** Whether lists and objects in `value` are nested more than `limit` levels deep. */
export function isDeeper(value: unknown, limit: number): boolean {
  let level = [value].filter(isContainer);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === limit) return true;
    level = level.flatMap((container) => Object.values(container).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
