/**
 * What changed from one version's shape to another's, by name. Pure.
 */
import type { Facts } from "./facts.ts";
import type { LineShapes } from "./shape.ts";
import type { VersionShape } from "./version_shape.ts";

/** One named difference. */
export interface Difference {
  sign: "+" | "-" | "~";
  /** Where: `event` (stdout), `record` (rollout), a field of one, or a `fact` that codex tells. */
  what: "event" | "record" | "event field" | "record field" | "fact";
  /** Line or kind of fact that it belongs to; the name itself for an event or a record. */
  of: string;
  /** Field or fact. */
  name?: string;
  /** Kinds of values or the values of a fact, `old → new` where they changed. */
  kinds?: string;
}

/** Every difference, in the order of the names. */
export function differences(older: VersionShape, newer: VersionShape): Difference[] {
  return [
    ...lines("event", older.stdout, newer.stdout),
    ...lines("record", older.rollout, newer.rollout),
    ...facts(older.facts, newer.facts),
  ];
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

function facts(older: Facts, newer: Facts): Difference[] {
  return union(older, newer).flatMap((of) => {
    const [before, after] = [older[of] ?? [], newer[of] ?? []];
    const gone = before.filter((fact) => !after.includes(fact));
    const fresh = after.filter((fact) => !before.includes(fact));
    return [
      ...fresh.map((fact): Difference => {
        const old = gone.find((other) => other !== fact && subject(other) === subject(fact));
        if (old === undefined) return { sign: "+", what: "fact", of, name: fact };
        gone.splice(gone.indexOf(old), 1);
        const kinds = `${valueOf(old)} → ${valueOf(fact)}`;
        return { sign: "~", what: "fact", of, name: subject(fact), kinds };
      }),
      ...gone.map((name): Difference => ({ sign: "-", what: "fact", of, name })),
    ];
  });
}

/** What a fact of the form `SUBJECT is VALUE` or `SUBJECT: VALUE` is about; else the fact itself. */
function subject(fact: string): string {
  return /^(.+?) is /.exec(fact)?.[1] ?? /^([^:]+): [^:]+: /.exec(fact)?.[1] ?? fact;
}

function valueOf(fact: string): string {
  return fact.slice(subject(fact).length).replace(/^ is |^: /, "");
}

function union(a: Record<string, unknown>, b: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}
