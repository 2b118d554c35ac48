/**
 * The versions of codex that the matrix has by default.
 *
 * @module
 */

/** Between the oldest supported and the newest tested, where something changed; and what npm has. */
export const VERSIONS: readonly string[] = [
  ...["0.135.0", "0.140.0", "0.146.1", "0.150.1", "0.155.1", "0.160.1", "0.164.0", "0.169.0"],
  "latest",
];

/** The same with `latest` replaced by the version that npm has under that name; each once. */
export async function resolveVersions(versions: readonly string[]): Promise<string[]> {
  const resolved: string[] = [];
  for (const version of versions) {
    resolved.push(version === "latest" ? await latestVersion() : version);
  }
  return [...new Set(resolved)];
}

/** What `npm view` says. Throws when npm fails or says something else than a version. */
export async function latestVersion(): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("npm", {
    args: ["view", "@openai/codex", "dist-tags.latest"],
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stdout).trim();
  if (code === 0 && /^\d+\.\d+\.\d+/.test(said)) return said;
  const reason = new TextDecoder().decode(stderr).trim().slice(-500) || said;
  throw new Error(`Cannot learn the latest codex from npm, exit ${code}: ${reason}`);
}
