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

/** Longest name of a function at OpenAI, in characters. */
const FUNCTION_NAME_MAX = 64;
const DIGEST_DIGITS = 8;

/** Two-way table of names. */
export interface ToolNames {
  /** The codex name of a host tool. */
  toCodex: ReadonlyMap<string, string>;
  /** The host's name behind a codex name. */
  toHost: ReadonlyMap<string, string>;
}

/** The namespace in which codex shows the tools of a server. */
export function namespaceOf(serverName: string): string {
  return `mcp__${serverName.replaceAll(/[^A-Za-z0-9_]/g, "_")}`;
}

/**
 * Longest codex name of a server's tool, in characters: codex 0.135 counts the namespace and two
 * more underscores into the limit and shortens what is longer; 0.150 and 0.169 shorten nothing.
 */
export function toolNameMax(serverName: string): number {
  return FUNCTION_NAME_MAX - namespaceOf(serverName).length - 2;
}

/**
 * Maps distinct host names to distinct codex names of at most `maxLength` characters. Repeated names
 * count once.
 */
export function mapToolNames(hostNames: Iterable<string>, maxLength: number): ToolNames {
  const fitting = new RegExp(`^[A-Za-z0-9_]{1,${maxLength}}$`);
  const toCodex = new Map<string, string>();
  const toHost = new Map<string, string>();
  const bind = (host: string, codex: string) => {
    toCodex.set(host, codex);
    toHost.set(codex, host);
  };
  const misfits = new Map<string, string[]>();
  for (const name of new Set(hostNames)) {
    if (fitting.test(name)) bind(name, name);
    else {
      const plain = name.replace(/[^A-Za-z0-9_]/g, "_");
      misfits.set(plain, [...misfits.get(plain) ?? [], name]);
    }
  }
  // Sorted, so that the outcome is the same whatever order the host lists its tools in.
  const stemLength = maxLength - DIGEST_DIGITS - 1;
  for (const [plain, names] of [...misfits].sort(([a], [b]) => a < b ? -1 : 1)) {
    for (const name of names.sort()) {
      const alone = names.length === 1 && fitting.test(plain) && /[A-Za-z0-9]/.test(plain);
      if (alone && !toHost.has(plain)) bind(name, plain);
      else bind(name, digested(plain.slice(0, stemLength), name, toHost));
    }
  }
  return { toCodex, toHost };
}

/** The stem and a digest of the name; where that is taken, another digest. */
function digested(stem: string, name: string, taken: ReadonlyMap<string, string>): string {
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
