/** The exit codes of the executable; 64 and 78 are sysexits' EX_USAGE and EX_CONFIG. */
export const EXIT = {
  /** Everything that was asked for is done, or there was nothing to do. */
  ok: 0,
  /** Something of what was asked for could not be done, or a check failed; stderr says what. */
  failed: 1,
  /** The command line is not understood, or an option names a directory that is not there. */
  usage: 64,
  /** `config.json` cannot be used; nothing was done. */
  config: 78,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;

/** The table of `--help`, the man page and the docs. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.ok, "all done, or nothing to do"],
  [EXIT.failed, "something could not be done, or a check failed; the output says what"],
  [
    EXIT.usage,
    "the command line is not understood, or names a directory that is not there; nothing was done",
  ],
  [EXIT.config, "config.json cannot be used; nothing was done"],
  [EXIT.interrupted, "ended by Ctrl-C"],
];
