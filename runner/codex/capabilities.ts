/**
 * What a version of codex can do, as far as the runner must know: bisected on real binaries from
 * 0.135.0 to 0.171.0 (docs/codex.md has the table).
 *
 * @module
 */

/** Oldest version that is driven. */
export const OLDEST_SUPPORTED = "0.135.0";
/** Newest version that the tests ran against. */
export const NEWEST_TESTED = "0.171.0";

/** What follows from a version. */
export interface Capabilities {
  /** E.g. `"0.169.0"`. */
  version: string;
  /** False below {@link OLDEST_SUPPORTED}. */
  supported: boolean;
  /** Newer than {@link NEWEST_TESTED}: expected to work. */
  untested: boolean;
  /** Holds a lock file per thread while it writes the rollout, and refuses a second writer. */
  writerLock: boolean;
  /**
   * Numbers the records of a thread (`history_mode: "paginated"`). An older codex that resumes such a
   * thread appends records without numbers, and no newer one can ever resume it again.
   */
  numberedRecords: boolean;
  /** `tools/call` carries codex's own call id in `_meta.callId`. */
  callId: boolean;
  /** MCP tools can be handed to the model directly (`omit_tools_from`). */
  omitToolsFrom: boolean;
  /**
   * Trusts any workspace it may write, and says so in config.toml: what an agent put into
   * `.codex/config.toml` in one turn, an MCP server say, would run outside the sandbox in the next.
   */
  trustsUnasked: boolean;
  /**
   * Writes the environment of a turn into a file of CODEX_HOME that others may read, while it runs,
   * unless `features.shell_snapshot` is off.
   */
  shellSnapshots: boolean;
  /**
   * From so many MCP tools on, the user's own among them, all hide behind tool search, and nothing can
   * be done about it; `undefined` where they never do.
   */
  toolsDeferredFrom: number | undefined;
  /** A result of an MCP tool without content is a failed call. */
  emptyResultFails: boolean;
}

/** The capabilities of `codex --version`'s answer, e.g. `codex-cli 0.169.0`; `undefined` when it names no version. */
export function capabilitiesOf(versionOutput: string): Capabilities | undefined {
  const version = /\bcodex\b.*?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)/i.exec(versionOutput)?.[1];
  if (version === undefined) return undefined;
  const since = (other: string) => compareVersions(version, other) >= 0;
  return {
    version,
    supported: since(OLDEST_SUPPORTED),
    untested: compareVersions(version, NEWEST_TESTED) > 0,
    writerLock: since("0.148.0"),
    numberedRecords: since("0.148.0"),
    callId: since("0.148.0"),
    omitToolsFrom: since("0.147.0"),
    // Seen on 0.155.1, no longer on 0.160.1.
    trustsUnasked: !since("0.160.0"),
    // Seen on 0.152.1, no longer on 0.158.0.
    shellSnapshots: !since("0.158.0"),
    // 99 listed and 100 hidden on 0.136 to 0.142.0; all hidden on 0.142.3 (0.142.1 cannot be had).
    toolsDeferredFrom: since("0.147.0") ? undefined : since("0.142.1") ? 1 : 100,
    // Seen on 0.135.0, no longer on 0.136.0.
    emptyResultFails: !since("0.136.0"),
  };
}

/** Negative, zero or positive, by the three numbers; a pre-release counts as its release. */
export function compareVersions(a: string, b: string): number {
  const numbers = (text: string) => text.split("-")[0]?.split(".").map(Number) ?? [];
  const [left, right] = [numbers(a), numbers(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
