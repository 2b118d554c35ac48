/**
 * "Did you mean …?": the known name that a mistyped one probably stands for.
 *
 * @module
 */
import leven from "leven";

/**
 * The closest of `known`, in the spelling it has there, or `undefined` when none is close: a third
 * of the letters may differ. Case, hyphens and underscores do not count, so `extraArgs` and `version`
 * find `extra_args` and `--version`.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const letters = plain(name);
  const [closest] = known
    .map((candidate) => ({ candidate, distance: leven(letters, plain(candidate)) }))
    .filter(({ distance }) => distance <= Math.max(1, letters.length / 3))
    .filter(({ candidate, distance }) => distance < plain(candidate).length)
    .sort((a, b) => a.distance - b.distance);
  return closest?.candidate;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, "");
}
