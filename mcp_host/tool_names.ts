/**
 * Host names and codex names of tools, one to one.
 *
 * codex shows a tool to the model under a name of `[A-Za-z0-9_]`; whatever else a name contains,
 * codex replaces by `_` (seen on 0.135.0, 0.150.1, 0.169.0), and it shortens long names. Two host
 * tools could so become one. Therefore names are mapped here, before codex sees them, to names that
 * codex has no reason to change:
 *
 * - a name that is fine already stays as it is, always;
 * - any other name has its foreign characters replaced by `_`, and where that is too long or taken,
 *   a digest of the host's name is appended.
 *
 * The mapping does not depend on the order of the tools, so a tool keeps its name from turn to turn
 * as long as the set of tools that resemble it stays the same.
 *
 * @module
 */

/**
 * Longest codex name of a tool, in characters. OpenAI's functions have at most 64, and codex before
 * 0.142 counts `mcp__plexum_host__` (18 characters) among them.
 */
export const TOOL_NAME_MAX = 46;

const DIGEST_DIGITS = 8;
const FITTING = new RegExp(`^[A-Za-z0-9_]{1,${TOOL_NAME_MAX}}$`);

/** Two-way table of names. */
export interface ToolNames {
  /** The codex name of a host tool. */
  toCodex: ReadonlyMap<string, string>;
  /** The host's name behind a codex name. */
  toHost: ReadonlyMap<string, string>;
}

/** Maps distinct host names to distinct codex names. Repeated names count once. */
export function mapToolNames(hostNames: Iterable<string>): ToolNames {
  const toCodex = new Map<string, string>();
  const toHost = new Map<string, string>();
  const bind = (host: string, codex: string) => {
    toCodex.set(host, codex);
    toHost.set(codex, host);
  };
  const misfits = new Map<string, string[]>();
  for (const name of new Set(hostNames)) {
    if (FITTING.test(name)) bind(name, name);
    else {
      const plain = name.replace(/[^A-Za-z0-9_]/g, "_");
      misfits.set(plain, [...misfits.get(plain) ?? [], name]);
    }
  }
  // Sorted, so that the outcome is the same whatever order the host lists its tools in.
  for (const [plain, names] of [...misfits].sort(([a], [b]) => a < b ? -1 : 1)) {
    for (const name of names.sort()) {
      const alone = names.length === 1 && FITTING.test(plain) && /[A-Za-z0-9]/.test(plain);
      if (alone && !toHost.has(plain)) bind(name, plain);
      else bind(name, digested(plain, name, toHost));
    }
  }
  return { toCodex, toHost };
}

/** The plain name, cut where needed, and a digest; a taken one is digested again. */
function digested(plain: string, name: string, taken: ReadonlyMap<string, string>): string {
  const stem = plain.slice(0, TOOL_NAME_MAX - DIGEST_DIGITS - 1);
  for (let round = 0;; round++) {
    const candidate = `${stem}_${digest(`${round}:${name}`)}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/**
 * A single name made to fit: what `foreign` matches becomes `_`, and where that changed it or it is
 * too long, a digest of the name follows, so that different names stay different.
 */
export function fitName(name: string, foreign: RegExp, maxLength: number): string {
  const plain = name.replaceAll(foreign, "_");
  if (plain === name && name !== "" && name.length <= maxLength) return name;
  return `${plain.slice(0, maxLength - DIGEST_DIGITS - 1)}_${digest(name)}`;
}

/** 32-bit FNV-1a over UTF-16 units as hex: it spreads names and guards nothing. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >> 8), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(DIGEST_DIGITS, "0");
}
