/** The exit codes of the executable; 64 and 78 are sysexits' EX_USAGE and EX_CONFIG. */
export const EXIT = {
  /** Done, or nothing to do. */
  ok: 0,
  /** What was asked for could not be done, or a check failed; stderr says why. */
  failed: 1,
  /** The command line is not understood; nothing was done. */
  usage: 64,
  /** `config.json` cannot be used; nothing was done. */
  config: 78,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** The table of `--help`, the man page and the docs. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.ok, "done, or nothing to do"],
  [EXIT.failed, "could not be done, or a check failed; stderr says why"],
  [EXIT.usage, "the command line is not understood; nothing was done"],
  [EXIT.config, "config.json cannot be used; nothing was done"],
  [EXIT.interrupted, "ended by Ctrl-C"],
];
