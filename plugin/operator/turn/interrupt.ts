/**
 * Ctrl-C (or a closed terminal), as a host would cancel: the first time codex is asked to end and
 * gets its grace, the second time everything below us is killed.
 *
 * @module
 */
import { familyOf, sendSignal } from "../../../runner/process/process_family.ts";
import { processTable } from "../../../runner/process/process_look.ts";
import { EXIT } from "../cli/command.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Listens until it is disposed of. */
export class Interrupt implements Disposable {
  readonly #abort = new AbortController();
  readonly #asked: () => void;

  /** @param asked Called at the first Ctrl-C. */
  constructor(asked: () => void) {
    this.#asked = asked;
    for (const name of SIGNALS) Deno.addSignalListener(name, this.#signalled);
  }

  /** Aborted by the first Ctrl-C. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  readonly #signalled = (): void => {
    if (this.#abort.signal.aborted) return void killAll();
    this.#asked();
    this.#abort.abort();
  };

  [Symbol.dispose](): void {
    for (const name of SIGNALS) Deno.removeSignalListener(name, this.#signalled);
  }
}

async function killAll(): Promise<void> {
  const table = await processTable();
  // Not our own process group: in a pipeline others are in it.
  const children = table.filter(({ ppid }) => ppid === Deno.pid);
  for (const { pid } of children.flatMap((child) => familyOf(child.pid, table))) {
    sendSignal(pid, "SIGKILL");
  }
  Deno.exit(EXIT.interrupted);
}
