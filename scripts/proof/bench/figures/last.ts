/**
 * The last recorded figures: `scripts/proof/bench/last.json`, written by `deno task bench --record`.
 */
import { join } from "@std/path";
import { ROOT } from "../../../project.ts";
import type { Figure } from "./figure.ts";
import { NEWEST_CODEX } from "../../../../tests/support/codex.ts";
import { PEERS } from "../turn/contender.ts";

/** A figure with the day it was recorded, the machine it was measured on and what with. */
export interface Recorded extends Figure {
  /** YYYY-MM-DD. */
  date: string;
  machine: string;
  versions: string;
}

const PATH = join(ROOT, "scripts", "proof", "bench", "last.json");

/** What is recorded; nothing where nothing was. */
export function readLast(): Recorded[] {
  try {
    return JSON.parse(Deno.readTextFileSync(PATH)) as Recorded[];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Records figures: a question that was measured again is replaced as a whole. */
export function record(last: readonly Recorded[], now: readonly Recorded[]): Recorded[] {
  const measured = new Set(now.map(({ question }) => question));
  return [...last.filter(({ question }) => !measured.has(question)), ...now];
}

/** Writes the record; numbers with four digits, because more mean nothing. */
export function writeLast(all: readonly Recorded[]): void {
  const digits = (_: string, value: unknown): unknown =>
    typeof value === "number" ? Number(value.toPrecision(4)) : value;
  Deno.writeTextFileSync(PATH, JSON.stringify(all, digits, 2) + "\n");
}

/** E.g. "2 cores, Linux x86_64". */
export function machine(): string {
  const { os, arch } = Deno.build;
  const system = { linux: "Linux", darwin: "macOS" }[os as string] ?? os;
  return `${navigator.hardwareConcurrency} cores, ${system} ${arch}`;
}

/** Everything that took part. */
export async function versions(): Promise<string> {
  const node = await new Deno.Command("node", { args: ["--version"] }).output()
    .then(({ stdout }) => new TextDecoder().decode(stdout).trim().slice(1), () => "none");
  const peers = PEERS.slice(0, 2).map((peer) => peer.join(" "));
  return [`codex ${NEWEST_CODEX}`, `Deno ${Deno.version.deno}`, `Node ${node}`, ...peers].join(
    ", ",
  );
}
