/**
 * What an earlier run of the plugin left: turns of a killed one, its sockets, consumes that were
 * interrupted or deferred; and what piled up and is of no use any more.
 *
 * @module
 */
import { errorMessage } from "../base/error_message.ts";
import { sweepStaleSockets } from "../mcp_host/listener/socket_dir.ts";
import { recoverAll } from "../rollout/consume/consume.ts";
import { type KeepOptions, removeOld, tidy } from "../rollout/state/keep.ts";
import type { StateStore } from "../rollout/state/state.ts";
import { sweepTurns } from "../runner/process/turn_directory.ts";
import type { Log } from "./log.ts";

/** Where things may have been left. */
export interface Leftovers {
  running: string;
  /** Where sockets may lie. */
  socketPlaces: readonly string[];
  store: StateStore;
}

/** Clears away and finishes what can be; what fails is logged and stays. Never rejects. */
export async function recover(
  { running, socketPlaces, store }: Leftovers,
  log: Log,
): Promise<void> {
  await logged(log, "ended turns of a plugin that was killed", async () => {
    const swept = await sweepTurns(running);
    return swept.turns > 0 ? { ...swept } : undefined;
  });
  await logged(log, "removed sockets of a plugin that was killed", async () => {
    let sockets = 0;
    for (const place of socketPlaces) sockets += await sweepStaleSockets(place);
    return sockets > 0 ? { sockets } : undefined;
  });
  await logged(log, "finished consumes of an earlier run", async () => {
    const { requested, touched, deferred } = await recoverAll(store);
    return requested > 0 ? { requested, touched, deferred } : undefined;
  });
}

/** What is kept, and for how long when it is of no use. */
export interface Kept extends KeepOptions {
  profile: string;
  store: StateStore;
}

/** Backups of the host's file that `install` made before there was one only. */
const BACKUP = /^plexum\.json\..+\.bak$/;

/** Removes what nobody can use any more and nobody touched for long. Never rejects. */
export async function tidyUp({ profile, store, ...options }: Kept, log: Log): Promise<void> {
  await logged(log, "removed what is old and of no use", async () => {
    const tidied = await tidy(store, options);
    const backups = removeOld(profile, BACKUP, options);
    return tidied.threads + tidied.files + backups > 0 ? { ...tidied, backups } : undefined;
  });
}

async function logged(
  log: Log,
  what: string,
  work: () => Promise<Record<string, unknown> | undefined>,
): Promise<void> {
  try {
    const found = await work();
    if (found !== undefined) log.write("notice", what, found);
  } catch (error) {
    log.write("warning", `${what}: failed`, { error: errorMessage(error) });
  }
}
