/**
 * The versions of codex that the matrix has by default.
 *
 * @module
 */
import { npm } from "../../../tests/support/npm.ts";
import { keptVersions } from "./version_shape.ts";

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
