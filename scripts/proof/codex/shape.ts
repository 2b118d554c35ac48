/**
 * The shape of what a codex writes, and what changed from one version's to another's, by name. Pure.
 *
 * Which kinds of lines there are, which fields they have, and what kinds of values are in them. A line's
 * name is its type with what tells it apart (`item.completed/agent_message`, `event_msg/token_count`); a
 * field's name is its path (`info.total_token_usage.input_tokens`, `item.changes[].kind`). What models,
 * tools and machines fill in freely is not looked into.
 */
import type { Facts } from "./facts.ts";
import type { VersionShape } from "./version_shape.ts";

/** Line name → field → kinds of values, sorted and joined by `|`. */
export type LineShapes = Record<string, Record<string, string>>;

type Fields = Record<string, unknown>;

/** How deep fields are told apart. */
const DEPTH = 3;
/** Keys whose values belong to a model, a tool or a machine. */
const OPAQUE = new Set([
  ...["arguments", "input", "structured_content", "structuredContent", "result", "output"],
  ...["agents_states", "environments", "changes_by_path", "replacement_history", "dynamic_tools"],
  ...[
    "permission_profile",
    "file_system_sandbox_policy",
    "collaboration_mode",
    "base_instructions",
  ],
]);
/** Keys that are not data (an id, a path) but a name. */
const NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,48}$/;

/** Collects the shapes of lines. */
export class ShapeCollector {
  readonly #lines = new Map<string, Map<string, Set<string>>>();

  /** Takes a line of `codex exec --json`. */
  stdout(line: unknown): void {
    if (!isFields(line)) return this.#add("(no object)", {});
    const type = text(line.type);
    const item = isFields(line.item) ? `/${text(line.item.type)}` : "";
    this.#add(`${type}${item}`, line);
  }

  /** Takes a line of a rollout. */
  rollout(line: unknown): void {
    if (!isFields(line)) return this.#add("(no object)", {});
    const { payload, metadata, ...head } = line;
    // What stands beside the payload says other things of a call than of a message.
    const beside = metadata === undefined ? {} : { line_metadata: metadata };
    const inner: Fields = { ...isFields(payload) ? payload : {}, ...beside };
    const names = [text(line.type)];
    if (line.type === "response_item" || line.type === "event_msg") names.push(text(inner.type));
    if (isFields(inner.item)) names.push(text(inner.item.type));
    this.#add("(every line)", head);
    this.#add(names.join("/"), inner);
  }

  /** Everything seen so far, sorted by name. */
  shapes(): LineShapes {
    return sorted(this.#lines, (fields) => sorted(fields, (kinds) => [...kinds].sort().join("|")));
  }

  #add(name: string, line: Fields): void {
    const fields = this.#lines.get(name) ?? new Map<string, Set<string>>();
    this.#lines.set(name, fields);
    for (const [field, kind] of fieldsOf(line, "", 1)) {
      fields.set(field, (fields.get(field) ?? new Set()).add(kind));
    }
  }
}

/** Every field with its kind, nested ones by their path. */
function* fieldsOf(value: Fields, path: string, depth: number): Iterable<[string, string]> {
  for (const [key, inner] of Object.entries(value)) {
    const field = path + (NAME.test(key) ? key : "*");
    yield [field, kindOf(inner)];
    if (OPAQUE.has(key) || depth >= DEPTH) continue;
    if (isFields(inner)) yield* fieldsOf(inner, `${field}.`, depth + 1);
    if (!Array.isArray(inner)) continue;
    for (const element of inner) {
      if (isFields(element)) yield* fieldsOf(element, `${field}[].`, depth + 1);
    }
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "(no type)";
}

function sorted<V, R>(map: Map<string, V>, of: (value: V) => R): Record<string, R> {
  const entries = [...map].sort(([a], [b]) => a < b ? -1 : 1);
  return Object.fromEntries(entries.map(([key, value]) => [key, of(value)]));
}

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
