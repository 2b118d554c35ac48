/**
 * What an earlier run of the plugin left: turns of a killed one, its sockets, consumes that were
 * interrupted or deferred.
 *
 * @module
 */
import { sweepStaleSockets } from "../mcp_host/listener/sweep.ts";
import { recoverAll } from "../rollout/consume/consume.ts";
import type { StateStore } from "../rollout/state/state.ts";
import { sweepTurns } from "../runner/process/turn_sweep.ts";
import { errorMessage } from "../base/error_message.ts";
import type { Log } from "./log.ts";

/** Where things may have been left. */
export interface Leftovers {
  running: string;
  runtimeDirectory: string;
  store: StateStore;
}

/** Clears away and finishes what can be; what fails is logged and stays. Never rejects. */
export async function recover(
  { running, runtimeDirectory, store }: Leftovers,
  log: Log,
): Promise<void> {
  const step = async (what: string, work: () => Promise<Record<string, unknown> | undefined>) => {
    try {
      const found = await work();
      if (found !== undefined) log.write("notice", what, found);
    } catch (error) {
      log.write("warning", `${what}: failed`, { error: errorMessage(error) });
    }
  };
  await step("ended turns of a plugin that was killed", async () => {
    const swept = await sweepTurns(running);
    return swept.turns > 0 ? { ...swept } : undefined;
  });
  await step("removed sockets of a plugin that was killed", async () => {
    const sockets = await sweepStaleSockets(runtimeDirectory);
    return sockets > 0 ? { sockets } : undefined;
  });
  await step("finished consumes of an earlier run", async () => {
    const { requested, touched, deferred } = await recoverAll(store);
    return requested > 0 ? { requested, touched, deferred } : undefined;
  });
}
