/**
 * A disk that fails at a chosen operation: the process dies there (`crash`), before the operation, after
 * it, or in the middle of a write; or the operation is refused (`refuse`), as a full or worn disk does.
 *
 * `losePower` then takes back what was never synced: single bytes of writes, renames, removals, chosen by
 * a seed, as a machine that loses power may.
 */
import { strict as assert } from "node:assert";
import { dirname } from "@std/path";
import { type Disk, type DiskFile, realDisk } from "../../base/durable.ts";

/** How the process ended. */
export class Crash extends Error {}

export interface Fault {
  /** Which operation, counted from 0. */
  at: number;
  kind: "crash" | "refuse";
  /** How many bytes of a write are done before it fails; other operations are done when it is not 0. */
  bytes: number;
  /** Bytes the disk takes per write at most, also without a fault. */
  atMost?: number;
}

/** Takes one thing back; a file's path may have changed since. */
type Undo = (path: string) => void;

export class FaultyDisk implements Disk {
  /** Operations so far; writes with the length that was asked for. */
  readonly operations: { name: string; length: number }[] = [];
  readonly #fault: Fault | undefined;
  #dead = false;
  /** What can still be lost, by the path whose sync would keep it. */
  readonly #unsynced = new Map<string, Undo[]>();

  constructor(fault?: Fault) {
    this.#fault = fault;
  }

  open(path: string, how: "create" | "update"): DiskFile {
    const file = this.#do("open", () => realDisk.open(path, how));
    if (how === "create") this.#later(dirname(path), () => removeIfThere(path));
    return {
      stat: () => file.stat(),
      write: (bytes, offset) => this.#write(path, file, bytes, offset),
      // deno-lint-ignore require-await -- a failure has to be a rejection
      sync: async () => this.#do("sync", () => void this.#unsynced.delete(path)),
      close: () => file.close(),
    };
  }

  rename(from: string, to: string): void {
    const old = readIfThere(to);
    this.#do("rename", () => realDisk.rename(from, to));
    this.#unsynced.set(to, this.#unsynced.get(from) ?? []);
    this.#later(dirname(to), () => old ? Deno.writeFileSync(to, old) : removeIfThere(to));
  }

  remove(path: string): void {
    const old = readIfThere(path);
    this.#do("remove", () => realDisk.remove(path));
    this.#later(dirname(path), () => old && Deno.writeFileSync(path, old));
  }

  // deno-lint-ignore require-await -- a failure has to be a rejection
  async syncDirectory(path: string): Promise<void> {
    this.#do("syncDirectory", () => void this.#unsynced.delete(path));
  }

  // deno-lint-ignore require-await -- as above
  async copyTimes(from: string, to: string): Promise<void> {
    this.#do("copyTimes", () => {
      const { atime, mtime } = Deno.statSync(from);
      if (atime && mtime) Deno.utimeSync(to, atime, mtime);
    });
  }

  /** Which operation was the last write. */
  get lastWrite(): number {
    return this.operations.findLastIndex(({ name }) => name === "write");
  }

  /** Takes back, newest first, some of what was never synced. */
  losePower(random: () => number): void {
    for (const [path, undos] of this.#unsynced) {
      for (const undo of undos.reverse()) if (random() < 0.5) undo(path);
    }
  }

  #write(path: string, file: DiskFile, bytes: Uint8Array, offset: number): number {
    const length = Math.min(bytes.length, this.#fault?.atMost ?? bytes.length);
    const before = readIfThere(path)?.slice(offset, offset + length) ?? new Uint8Array(0);
    const put = (part: Uint8Array): number => {
      for (let i = 0; i < part.length; i++) {
        this.#later(path, (now) => poke(now, offset + i, before[i] ?? 0));
      }
      return part.length === 0 ? 0 : file.write(part, offset);
    };
    return this.#do("write", (done) => put(bytes.subarray(0, Math.min(done, length))), length);
  }

  #do<T>(name: string, work: (bytes: number) => T, length = 0): T {
    if (this.#dead) throw new Crash("the process is dead");
    const at = this.operations.push({ name, length }) - 1;
    const fault = this.#fault;
    if (fault?.at !== at) return work(length);
    this.#dead = fault.kind === "crash";
    const done: unknown = fault.bytes > 0 ? work(fault.bytes) : undefined;
    if (isOpenFile(done)) done.close(); // as the end of the process does
    throw fault.kind === "crash" ? new Crash(name) : new Error(`${name}: no space left (injected)`);
  }

  #later(path: string, undo: Undo): void {
    const undos = this.#unsynced.get(path) ?? [];
    undos.push(undo);
    this.#unsynced.set(path, undos);
  }
}

/** Makes `change` once to see how, and, when that is taken back, once more, killed in its last write. */
export async function crashInLastWrite(
  change: (disk: FaultyDisk) => Promise<unknown>,
  takeBack: () => void,
): Promise<void> {
  const whole = new FaultyDisk();
  await change(whole);
  takeBack();
  const disk = new FaultyDisk({ at: whole.lastWrite, kind: "crash", bytes: 9 });
  await assert.rejects(change(disk), Crash);
}

function isOpenFile(value: unknown): value is DiskFile {
  return typeof value === "object" && value !== null && "close" in value;
}

function poke(path: string, offset: number, byte: number): void {
  if (readIfThere(path) === undefined) return;
  using file = Deno.openSync(path, { write: true });
  file.seekSync(offset, Deno.SeekMode.Start);
  file.writeSync(Uint8Array.of(byte));
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(path);
  } catch {
    return undefined;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // gone already
  }
}
