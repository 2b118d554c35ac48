/**
 * Adds an item to a list or an object of a JSONC text, or takes one out, without touching anything
 * else: every comment stays, and stays where it was. (jsonc-parser's own edits move the comment
 * behind the last item to the new one, and drop those around an item that is removed.)
 *
 * @module
 */
import { createScanner, type Node } from "jsonc-parser";

/** The numbers of jsonc-parser's `SyntaxKind`; its const enum is gone at run time. */
const COMMA = 5;
const LINE_COMMENT = 12;
const BLOCK_COMMENT = 13;

/** The text with `item` as the last one of `container`, a list or an object in it. */
export function insertItem(text: string, container: Node, item: string): string {
  const open = container.offset + 1;
  const close = container.offset + container.length - 1;
  const last = container.children?.at(-1);
  const lastEnd = last === undefined ? open : last.offset + last.length;
  const { comma, contentEnd } = scanTail(text, lastEnd, close);
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const outer = indentAt(text, container.offset);
  const inner = last === undefined ? outer + unitOf(text) : indentAt(text, last.offset);

  let added: string;
  if (text.slice(open, close).includes("\n")) added = eol + inner + item;
  else if (contentEnd > open) added = ` ${item}`;
  else if (container.type === "object") added = eol + inner + item + eol + outer;
  else added = item;
  if (comma !== undefined) added += ",";

  const separator = last === undefined || comma !== undefined ? "" : ",";
  const rest = contentEnd === open && !text.slice(open, close).includes("\n") ? close : contentEnd;
  return text.slice(0, lastEnd) + separator + text.slice(lastEnd, contentEnd) + added +
    text.slice(rest);
}

/** The text without the `index`th item of `container`. */
export function removeItem(text: string, container: Node, index: number): string {
  const items = container.children ?? [];
  const item = items[index];
  if (item === undefined) return text;
  const next = items[index + 1];
  const close = container.offset + container.length - 1;
  let end = item.offset + item.length;
  const after = scanTail(text, end, next?.offset ?? close).comma;
  let cutComma: number | undefined;
  if (after !== undefined && text.slice(end, after).trim() === "") end = after + 1;
  else cutComma = after;
  const previous = items[index - 1];
  if (after === undefined && previous !== undefined) {
    cutComma = scanTail(text, previous.offset + previous.length, item.offset).comma;
  }
  const [from, to] = widened(text, item.offset, end);
  const cuts: [number, number][] = [[from, to]];
  if (cutComma !== undefined) cuts.push([cutComma, cutComma + 1]);
  return cuts.sort(([a], [b]) => b - a)
    .reduce((left, [start, stop]) => left.slice(0, start) + left.slice(stop), text);
}

/** Where the first comma is, and where the last comma or comment ends, between two offsets. */
function scanTail(
  text: string,
  from: number,
  to: number,
): { comma: number | undefined; contentEnd: number } {
  const scanner = createScanner(text);
  scanner.setPosition(from);
  let comma: number | undefined;
  let contentEnd = from;
  while (scanner.getPosition() < to) {
    const kind: number = scanner.scan();
    const offset = scanner.getTokenOffset();
    if (offset >= to) break;
    if (kind === COMMA) comma ??= offset;
    if (kind === COMMA || kind === LINE_COMMENT || kind === BLOCK_COMMENT) {
      contentEnd = offset + scanner.getTokenLength();
    }
  }
  return { comma, contentEnd };
}

/** With the line, where nothing else is on it; else with the space before. */
function widened(text: string, from: number, to: number): [number, number] {
  const lineStart = text.lastIndexOf("\n", from - 1) + 1;
  const newline = text.indexOf("\n", to);
  const blankBefore = text.slice(lineStart, from).trim() === "";
  if (blankBefore && newline >= 0 && text.slice(to, newline).trim() === "") {
    return [lineStart, newline + 1];
  }
  let start = from;
  while (!blankBefore && /[ \t]/.test(text[start - 1] ?? "")) start--;
  return [start, to];
}

function indentAt(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

function unitOf(text: string): string {
  return /^([ \t]+)\S/m.exec(text)?.[1] ?? "  ";
}
