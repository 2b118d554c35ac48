/**
 * The differences over a list of versions, from the kept shapes; a version without one is probed.
 *
 * @module
 */
import { compareVersions } from "../../../runner/codex/capabilities.ts";
import { type Difference, differences } from "./drift.ts";
import { probeVersion } from "./probe.ts";
import { keptVersions, readShape, type VersionShape, writeShape } from "./version_shape.ts";

/** What changed between two versions that follow each other. */
export interface DriftStep {
  from: string;
  to: string;
  differences: Difference[];
}

/**
 * A step for each of `versions`, from the next older one of them, or of the kept ones. With `fresh`
 * every version is probed anew and kept.
 */
export async function driftOf(
  versions: readonly string[],
  { fresh }: { fresh: boolean },
): Promise<DriftStep[]> {
  const shapes = new Map<string, VersionShape>();
  for (const version of versions) {
    const kept = fresh ? undefined : readShape(version);
    if (!kept) console.error(`codex ${version}: probing …`);
    const shape = kept ?? await probeVersion(version);
    if (fresh) writeShape(shape);
    shapes.set(version, shape);
  }
  return versions.flatMap((to) => {
    const newer = shapes.get(to);
    const from = [...new Set([...versions, ...keptVersions()])]
      .filter((other) => compareVersions(other, to) < 0).sort(compareVersions).at(-1);
    const older = from === undefined ? undefined : shapes.get(from) ?? readShape(from);
    if (from === undefined || !older || !newer) return [];
    return [{ from, to, differences: differences(older, newer) }];
  });
}

/** The steps over every kept version. */
export function keptDrift(): DriftStep[] {
  const versions = keptVersions();
  return versions.slice(1).flatMap((to, index) => {
    const from = versions[index] ?? "";
    const [older, newer] = [readShape(from), readShape(to)];
    return older && newer ? [{ from, to, differences: differences(older, newer) }] : [];
  });
}
