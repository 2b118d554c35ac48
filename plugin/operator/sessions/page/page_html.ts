/**
 * HTML as values: text is escaped by being put in, markup is markup only because it was made here.
 *
 * What a page shows came from a model, a tool or a file, and is taken to be hostile.
 *
 * @module
 */
import { printable } from "../../cli/printable.ts";

/** Markup that was made by {@link markup}. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What may stand in a template; text is escaped, lists are joined, `undefined` is nothing. */
export type Piece = string | number | Markup | undefined | readonly Piece[];

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template whose values are escaped: markup`<b>${text}</b>`. */
export function markup(strings: TemplateStringsArray, ...pieces: Piece[]): Markup {
  return new Markup(
    strings.reduce((all, part, i) => all + rendered(pieces[i - 1]) + part),
  );
}

function rendered(piece: Piece): string {
  if (piece === undefined) return "";
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === "object") return piece.map(rendered).join("");
  return printable(String(piece)).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? "");
}

/** A piece of the page, or nothing. */
export function when(condition: boolean, piece: () => Piece): Piece {
  return condition ? piece() : undefined;
}
