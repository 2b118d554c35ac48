/**
 * Whether a connection that showed the token comes from codex's own relay.
 *
 * A token can be read by whoever may read a process's environment. So the other end has to be a
 * process that descends from codex, and that is looked up, not believed: the relay says its pid, the
 * plugin names a fresh file on that one connection, the relay keeps it open, and the system's own list
 * of what a process has open tells whether it did. Whoever shows a stolen token can name any pid, but
 * cannot make that process open the file.
 *
 * Linux only: elsewhere there is no such list to be had at this cost, and the token alone counts.
 *
 * @module
 */
import { basename } from "@std/path";
import { runProgram } from "../../base/program.ts";
import { pause } from "../../base/timer.ts";
import { proofPath } from "./socket_dir.ts";

/** How long the relay may take to open the file, which it does before anything else. */
const OPEN_TIMEOUT_MS = 2_000;
/** The first pause between two looks, each the double of the one before, and the longest. */
const PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 100;
/** A relay has some 20 files open; the system gives the lowest number that is free. */
const RELAY_FILES_MAX = 64;

/** Whether a process descends from the turn's codex; `undefined` where that cannot be told. */
export type Owns = (pid: number) => Promise<boolean | undefined>;

/** A file to be opened by one relay. */
export class PeerProof implements Disposable {
  readonly path: string;

  /** @param socket In whose directory, which is ours alone, the file is made. */
  constructor(socket: string) {
    this.path = proofPath(socket);
    Deno.writeTextFileSync(this.path, "", { mode: 0o600, createNew: true });
  }

  /** Whether this kind of proof can be had here. */
  static readonly possible: boolean = Deno.build.os === "linux";

  /**
   * Whether the process is codex's and has the file open; so it is taken to be where the system does
   * not tell. The file is gone afterwards.
   */
  async shownBy(pid: number, owns: Owns, signal: AbortSignal): Promise<boolean> {
    using file = this;
    // Starting a program takes a millisecond, and what codex asks first is answered to anybody.
    await pause(PAUSE_MS, signal);
    const owned = await owns(pid).catch(() => undefined);
    return owned === undefined || owned && await file.#isHeldBy(pid, signal);
  }

  async #isHeldBy(pid: number, signal: AbortSignal): Promise<boolean> {
    if (!Number.isSafeInteger(pid) || pid <= 0) return false;
    const until = performance.now() + OPEN_TIMEOUT_MS;
    // The name alone: the system leaves out the links that we came by.
    const name = basename(this.path);
    for (let ms = PAUSE_MS; !signal.aborted; ms = Math.min(2 * ms, LONGEST_PAUSE_MS)) {
      const opened = await openFiles(pid, signal).catch(() => "");
      if (opened.includes(name)) return true;
      if (performance.now() > until) break;
      await pause(ms, signal);
    }
    return false;
  }

  [Symbol.dispose](): void {
    try {
      Deno.removeSync(this.path);
    } catch {
      // Gone with its directory.
    }
  }
}

/** Where the files lead that a process has open. codex waits for it, so a program is the last resort. */
async function openFiles(pid: number, signal: AbortSignal): Promise<string> {
  try {
    return readLinks(pid);
  } catch {
    const options = { timeMs: OPEN_TIMEOUT_MS, signal, lookup: true };
    return (await runProgram("ls", ["-l", `/proc/${pid}/fd`], options)).stdout;
  }
}

/** Deno 2.4 lets us read links below `/proc`; later ones refuse. */
function readLinks(pid: number): string {
  let links = "";
  for (let fd = 0; fd < RELAY_FILES_MAX; fd++) {
    try {
      links += `${Deno.readLinkSync(`/proc/${pid}/fd/${fd}`)}\n`;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
    }
  }
  return links;
}
