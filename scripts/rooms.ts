/**
 * The picture of the rooms in docs/architecture.md, held against what the modules import. Pure.
 *
 * The picture is the table's column "imports" (the rooms that a room uses, all of them) and the line
 * of arrows below it, which says in what direction an import may go at all.
 */
import { dirname, join } from "@std/path";

/** Room → the rooms that it imports from, both without a slash; `main.ts` is one. */
export type Rooms = Map<string, Set<string>>;

/** What the page says. */
export interface Picture {
  rooms: Rooms;
  /** The floors from the top, each a set of rooms that know nothing of each other. */
  floors: string[][];
}

/** Reads the picture. Throws Error when the page has no table of rooms or no arrows. */
export function picture(page: string): Picture {
  const rows = [...page.matchAll(/^\| `([\w./]+?)\/?` .*\| ([^|]*) \|$/gm)];
  const rooms: Rooms = new Map(rows.map(([, room = "", imports = ""]) => [
    room,
    new Set([...imports.matchAll(/`([\w./]+?)\/?`/g)].map(([, name = ""]) => name)),
  ]));
  const arrows = /`(main → [^`]+)`/.exec(page)?.[1];
  if (rooms.size === 0 || arrows === undefined) {
    throw new Error("docs/architecture.md has no table of rooms, or no line `main → …`");
  }
  const floors = arrows.split("→").map((floor) => floor.match(/\w+/g) ?? [])
    .map((names) => names.map((name) => name === "main" ? "main.ts" : name));
  return { rooms, floors };
}

/** An import of one of our modules, as `deno fmt` leaves it. */
const IMPORT = /(?:^(?:import|export)\b[^;"]*|\bimport\()\s*"(\.[^"]+\.ts)"/gm;

/** The rooms as the modules have them, from each file's path (relative to the root) and text. */
export function roomsOf(files: Iterable<[path: string, text: string]>): Rooms {
  const rooms: Rooms = new Map();
  for (const [path, text] of files) {
    const from = roomOf(path);
    const known = rooms.get(from) ?? new Set();
    rooms.set(from, known);
    for (const [, specifier = ""] of text.matchAll(IMPORT)) {
      const to = roomOf(join(dirname(path), specifier));
      if (to !== from) known.add(to);
    }
  }
  return rooms;
}

function roomOf(path: string): string {
  return path.startsWith("tests/support/") ? "tests/support" : path.split("/")[0] ?? path;
}

/** What is wrong, one line each: arrows that the page does not have, has too much, or forbids. */
export function wrongArrows({ rooms: said, floors }: Picture, real: Rooms): string[] {
  const floorOf = (room: string) => floors.findIndex((floor) => floor.includes(room));
  const wrong: string[] = [];
  for (const [from, targets] of real) {
    if (!said.has(from)) wrong.push(`${from} is not in the table of rooms`);
    for (const to of targets) {
      if (!said.get(from)?.has(to)) wrong.push(`${from} imports from ${to}, the table says not`);
      // scripts and tests stand outside the house: they may look at every floor.
      if (floorOf(from) < 0) continue;
      if (floorOf(to) <= floorOf(from)) wrong.push(`${from} → ${to} goes against the arrows`);
    }
  }
  for (const [from, targets] of said) {
    for (const to of targets) {
      if (!real.get(from)?.has(to)) {
        wrong.push(`${from} does not import from ${to}, the table says so`);
      }
    }
  }
  return wrong;
}
