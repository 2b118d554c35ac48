/**
 * The shape of what a codex writes: which kinds of lines there are, which fields they have, and what
 * kinds of values are in them. Pure.
 *
 * A line's name is its type with what tells it apart (`item.completed/agent_message`,
 * `event_msg/token_count`); a field's name is its path (`info.total_token_usage.input_tokens`,
 * `item.changes[].kind`). What models, tools and machines fill in freely is not looked into.
 */

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
