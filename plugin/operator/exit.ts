/** The exit codes of the executable; `usage` is sysexits' EX_USAGE. */
export const EXIT = { ok: 0, failed: 1, usage: 64 } as const;
