/**
 * What changed from one version's shape to another's, by name. Pure.
 *
 * @module
 */
import type { LineShapes } from "./shape.ts";
import type { VersionShape } from "./version_shape.ts";

/** One named difference. */
export interface Difference {
  sign: "+" | "-" | "~";
  /** Where: `event` (stdout), `record` (rollout), a field of one, or `flag`. */
  what: "event" | "record" | "event field" | "record field" | "flag";
  /** Line or command that it belongs to; the name itself for an event or a record. */
  of: string;
  /** Field or flag. */
  name?: string;
  /** Kinds of values, `old → new` where they changed. */
  kinds?: string;
}

/** Every difference, in the order of the names. */
export function differences(older: VersionShape, newer: VersionShape): Difference[] {
  return [
    ...lines("event", older.stdout, newer.stdout),
    ...lines("record", older.rollout, newer.rollout),
    ...flags(older.flags, newer.flags),
  ];
}

/** A difference in one line, for people. */
export function describe({ sign, what, of, name, kinds }: Difference): string {
  const where = name === undefined
    ? of
    : what === "flag"
    ? `codex ${of} ${name}`
    : `${of}: ${name}`;
  return `${sign} ${what} ${where}${kinds === undefined ? "" : ` (${kinds})`}`;
}

function lines(what: "event" | "record", older: LineShapes, newer: LineShapes): Difference[] {
  return union(older, newer).flatMap((of): Difference[] => {
    const [before, after] = [older[of], newer[of]];
    if (before === undefined) return [{ sign: "+", what, of }];
    if (after === undefined) return [{ sign: "-", what, of }];
    return fields(`${what} field`, of, before, after);
  });
}

function fields(
  what: "event field" | "record field",
  of: string,
  older: Record<string, string>,
  newer: Record<string, string>,
): Difference[] {
  return union(older, newer).flatMap((name): Difference[] => {
    const [before, after] = [older[name], newer[name]];
    if (before === after || isNested(name, older, newer)) return [];
    if (before === undefined) return [{ sign: "+", what, of, name, kinds: after ?? "" }];
    if (after === undefined) return [{ sign: "-", what, of, name, kinds: before }];
    return [{ sign: "~", what, of, name, kinds: `${before} → ${after}` }];
  });
}

/** Whether the field only came or went with the one that it is in. */
function isNested(
  name: string,
  older: Record<string, string>,
  newer: Record<string, string>,
): boolean {
  const parent = name.slice(0, name.lastIndexOf(".")).replace(/\[\]$/, "");
  return name.includes(".") && (parent in older) !== (parent in newer);
}

function flags(
  older: Record<string, string[]>,
  newer: Record<string, string[]>,
): Difference[] {
  return union(older, newer).flatMap((of) => {
    const [before, after] = [older[of] ?? [], newer[of] ?? []];
    const only = (sign: "+" | "-", some: string[], others: string[]): Difference[] =>
      some.filter((name) => !others.includes(name)).map((name) => ({
        sign,
        what: "flag",
        of,
        name,
      }));
    return [...only("+", after, before), ...only("-", before, after)];
  });
}

function union(a: Record<string, unknown>, b: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}
