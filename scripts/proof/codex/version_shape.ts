/**
 * What is kept of a version: the shapes of its lines and what it says of itself, in
 * `scripts/proof/codex/shapes/<version>.json`.
 */
import { join } from "@std/path";
import { compareVersions } from "../../../runner/codex/capabilities.ts";
import { ROOT } from "../../project.ts";
import type { Facts } from "./facts.ts";
import type { LineShapes } from "./shape.ts";
import { npm } from "../../../tests/support/npm.ts";

/** Everything that is known of a version's formats. */
export interface VersionShape {
  version: string;
  /** Lines of `codex exec --json`. */
  stdout: LineShapes;
  /** Lines of the session file. */
  rollout: LineShapes;
  /** What it says of itself: models, features, flags, … */
  facts: Facts;
}

/** Where they are kept. */
const SHAPES: string = join(ROOT, "scripts", "proof", "codex", "shapes");

/** The versions that have a kept shape, oldest first. */
export function keptVersions(): string[] {
  const names = [...Deno.readDirSync(SHAPES)].map(({ name }) => name);
  return names.filter((name) => name.endsWith(".json"))
    .map((name) => name.replace(/\.json$/, "")).sort(compareVersions);
}

/** The kept shape of that version, if there is one. */
export function readShape(version: string): VersionShape | undefined {
  if (!keptVersions().includes(version)) return undefined;
  const shape: VersionShape = JSON.parse(Deno.readTextFileSync(fileOf(version)));
  return shape;
}

/** Keeps a shape, instead of an earlier one. */
export function writeShape(shape: VersionShape): void {
  Deno.writeTextFileSync(fileOf(shape.version), JSON.stringify(shape, null, 2) + "\n");
}

function fileOf(version: string): string {
  return join(SHAPES, `${version}.json`);
}

/** Those that something is kept of, from the oldest supported on; and what npm has. */
export const VERSIONS: readonly string[] = [...keptVersions(), "latest"];

/** The same with `latest` replaced by the version that npm has under that name; each once. */
export async function resolveVersions(versions: readonly string[]): Promise<string[]> {
  const resolved: string[] = [];
  for (const version of versions) {
    resolved.push(version === "latest" ? await latestVersion() : version);
  }
  return [...new Set(resolved)];
}

/** The version that npm has under `latest`. Throws when npm fails or says something else. */
export async function latestVersion(name = "@openai/codex"): Promise<string> {
  const said = (await npm(["view", name, "dist-tags.latest"])).trim();
  if (/^\d+\.\d+\.\d+/.test(said)) return said;
  throw new Error(`Cannot learn the latest ${name} from npm as it said: ${said.slice(0, 200)}`);
}
