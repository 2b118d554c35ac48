/**
 * What a consume may do to one line, worked out with jsonc-parser and text, not with the byte
 * scanner that is tested.
 */
import { strict as assert } from "node:assert";
import { getNodeValue, type Node, parseTree } from "jsonc-parser";
import { assertSameBytes } from "./target.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Value and place of everything in the line that the ops replace. */
interface Target {
  start: number;
  end: number;
  marker: string;
}

/** Checks `after`, the line as it is now, against `before`; both with their newline. */
export function expectedLine(
  before: Uint8Array,
  after: Uint8Array,
  ops: ReadonlyMap<string, string>,
): void {
  const text = textOf(before);
  if (text !== undefined && isDeep(text)) return; // too deep for the other parser
  const targets = text === undefined ? undefined : targetsIn(text, ops);
  if (text === undefined || targets === undefined || targets.length === 0) {
    return assertSameBytes(after, before, "a line without a wanted call is not touched");
  }
  const now = decoder.decode(after);
  const end = /\r?\n$/.exec(text)?.[0] ?? "";
  assert.ok(now.endsWith(end), "the line's end stays");
  const content = text.slice(0, -end.length).replace(/ *$/, "");
  // Every combination of done and not done is right, as long as what would fit was done.
  const rest = now.slice(0, -end.length).replace(/ *$/, "");
  assert.ok(reaches(content, rest, targets), `changed elsewhere:\n${content}\n${rest}`);
  if (saysTwice(text)) return; // may be left alone: codex would not take it
  for (const { start, end, marker } of targets) {
    const shrinks = byteLength(marker) <= byteLength(text.slice(start, end));
    assert.ok(!shrinks || rest.includes(marker), "what fits is done");
  }
}

/** Whether `now` is `before` with each target either as it was or replaced by its marker. */
function reaches(before: string, now: string, targets: Target[], from = 0, at = 0): boolean {
  const [next, ...others] = targets;
  if (next === undefined) return before.slice(from) === now.slice(at);
  const kept = before.slice(from, next.start);
  if (!now.startsWith(kept, at)) return false;
  const here = at + kept.length;
  return [next.marker, before.slice(next.start, next.end)].some((value) =>
    now.startsWith(value, here) && reaches(before, now, others, next.end, here + value.length)
  );
}

/** Whether a line that nobody can misread has a record of this call. */
export function stillHolds(file: Uint8Array, id: string): boolean {
  const heavy = new Map([[id, "consume-heavy"]]);
  return new TextDecoder().decode(file).split("\n").slice(0, -1).some((line) =>
    !line.includes("\ufffd") && !saysTwice(line) &&
    (targetsIn(line, heavy) ?? []).length > 0
  );
}

/**
 * Whether the line has a key twice where it matters: its head then says one thing and its record
 * another. codex writes no such line.
 */
export function saysTwice(line: string): boolean {
  if (isDeep(line)) return true;
  const root = parseTree(line);
  const payloads = root?.children?.flatMap(({ children }) => children?.[1] ?? []) ?? [];
  return [root, ...payloads].some((node) => {
    if (node?.type !== "object") return false;
    const keys = node.children?.map(({ children }) => String(children?.[0]?.value)) ?? [];
    return new Set(keys).size < keys.length;
  });
}

function isDeep(text: string): boolean {
  return text.split(/[[{]/).length > 1000;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** In the order of the line; `undefined` where the line is no JSON. */
function targetsIn(text: string, ops: ReadonlyMap<string, string>): Target[] | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const root = parseTree(text);
  const payload = member(root, "payload");
  const type = valueOf(member(root, "type"));
  const history = member(payload, "replacement_history");
  const items = type === "response_item"
    ? [payload]
    : type === "compacted" && history?.type === "array"
    ? history.children ?? []
    : [];
  return items.flatMap((item) => targetOf(item, ops)).sort((a, b) => a.start - b.start);
}

function targetOf(item: Node | undefined, ops: ReadonlyMap<string, string>): Target[] {
  const id = valueOf(member(item, "call_id"));
  const op = typeof id === "string" ? ops.get(id) : undefined;
  const heavy = op === "consume-heavy";
  if (!heavy && op !== "consume-light") return [];
  const type = valueOf(member(item, "type"));
  const key = type === "function_call"
    ? "arguments"
    : type === "custom_tool_call"
    ? "input"
    : type === "function_call_output" || type === "custom_tool_call_output"
    ? "output"
    : undefined;
  if (key === undefined || (key !== "output" && !heavy)) return [];
  const node = member(item, key);
  const text = key !== "output" ? "{}" : heavy ? "...(tool called)" : "...(consumed)";
  if (node === undefined) return [];
  return [{ start: node.offset, end: node.offset + node.length, marker: JSON.stringify(text) }];
}

/** The last member of that name, as `JSON.parse` has it. */
function member(node: Node | undefined, key: string): Node | undefined {
  if (node?.type !== "object") return undefined;
  return node.children?.findLast(({ children }) => children?.[0]?.value === key)?.children?.[1];
}

function valueOf(node: Node | undefined): unknown {
  return node === undefined ? undefined : getNodeValue(node);
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
