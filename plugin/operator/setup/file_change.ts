/**
 * Changes to the profile that can be shown before they are made, the executable itself among them.
 *
 * @module
 */
import { join } from "@std/path";
import { replaceByCopy, replaceFile, TEMPORARY } from "../../../base/durable.ts";
import { errorMessage } from "../../../base/error_message.ts";
import { exists, readIfThere } from "../../../base/files.ts";
import { EXECUTABLE_NAME, VERSION } from "../../self.ts";

/** A temporary file that nobody has written to for so long is nobody's. */
const SETTLED_MS = 60_000;

/** One thing that install or uninstall does. */
export interface FileChange {
  /** `keep` has nothing to do: everything is as it should be. */
  action: "create" | "replace" | "edit" | "remove" | "keep";
  path: string;
  /** What the path is, and more where there is something to know. */
  note: string;
  apply(): void | Promise<void>;
}

/** A change that does nothing. */
export function keep(path: string, note: string): FileChange {
  return { action: "keep", path, note, apply: () => {} };
}

/** Puts `text` at `path` with this mode; nothing to do where it stands there already. */
export function textChange(path: string, text: string, mode: number, note: string): FileChange {
  const before = readIfThere(path);
  if (before === text) return keep(path, note);
  return {
    action: before === undefined ? "create" : "replace",
    path,
    note,
    apply: () => replaceFile(path, text, mode),
  };
}

/** Removes a file; `undefined` where there is none. */
export function removeChange(
  path: string,
  note: string,
  recursive = false,
): FileChange | undefined {
  if (!exists(path)) return undefined;
  return { action: "remove", path, note, apply: () => Deno.removeSync(path, { recursive }) };
}

/** Removes what a killed install left in `directory`; one that is under way is left alone. */
export function removeLeftovers(directory: string): void {
  for (const { name } of Deno.readDirSync(directory)) {
    if (!name.startsWith(TEMPORARY) || !name.endsWith(".tmp")) continue;
    const { mtime } = Deno.lstatSync(join(directory, name));
    if (Date.now() - (mtime?.getTime() ?? 0) > SETTLED_MS) Deno.removeSync(join(directory, name));
  }
}

/*
 * The executable as a file: what is running now, and putting it somewhere else.
 */

/** What an upgrade leaves, for the way back. */
export const PREVIOUS = `${EXECUTABLE_NAME}.previous`;

const CHUNK = 1024 * 1024;
const MODE = 0o755;

/**
 * The change that puts `source` into `directory`. Replaced by rename, so a host that runs the old one
 * is not disturbed; the old one stays beside it under the name {@link PREVIOUS}.
 */
export function executableChange(source: string, directory: string, replaces?: string): FileChange {
  const path = join(directory, EXECUTABLE_NAME);
  const size = `${(Deno.statSync(source).size / 1e6).toFixed(0)} MB`;
  const there = exists(path);
  if (there && same(source, path)) {
    if ((Deno.statSync(path).mode ?? MODE) & 0o100) return keep(path, `version ${VERSION}`);
    return {
      action: "edit",
      path,
      note: "made executable",
      apply: () => Deno.chmodSync(path, MODE),
    };
  }
  const old = there ? `, replaces ${replaces ?? "another one"}, kept as ${PREVIOUS}` : "";
  return {
    action: there ? "replace" : "create",
    path,
    note: `version ${VERSION}, ${size}${old}`,
    apply: () => {
      replaceByCopy(path, source, MODE, (copy) => {
        mustRun(copy);
        if (there) keepPrevious(path, join(directory, PREVIOUS));
      });
    },
  };
}

/** The running program's file; throws where it is not compiled. */
export function ownFile(): string {
  if (Deno.build.standalone) return Deno.execPath();
  throw new Error(
    `Cannot install: this is not the compiled executable, but a module run by ${Deno.execPath()}. ` +
      `Build it first (deno task build) and run dist/${EXECUTABLE_NAME} install.`,
  );
}

function keepPrevious(path: string, previous: string): void {
  if (exists(previous)) Deno.removeSync(previous);
  try {
    Deno.linkSync(path, previous);
  } catch {
    replaceByCopy(previous, path, MODE); // a file system without hard links
  }
}

/** A copy that cannot run would only be noticed by the host. */
function mustRun(path: string): void {
  let said: string;
  try {
    const { stdout, stderr } = new Deno.Command(path, {
      args: ["--version"],
      cwd: "/",
      stdin: "null",
    }).outputSync();
    said = new TextDecoder().decode(stdout).trim() || new TextDecoder().decode(stderr).trim();
  } catch (error) {
    said = errorMessage(error);
  }
  if (said === `${EXECUTABLE_NAME} ${VERSION}`) return;
  throw new Error(
    `Cannot install: the copy ${path} does not run: ${said}. Is the file system mounted noexec?`,
  );
}

function same(one: string, other: string): boolean {
  if (Deno.statSync(one).size !== Deno.statSync(other).size) return false;
  if (Deno.realPathSync(one) === Deno.realPathSync(other)) return true;
  using left = Deno.openSync(one, { read: true });
  using right = Deno.openSync(other, { read: true });
  const [a, b] = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)];
  for (;;) {
    const [n, m] = [fill(left, a), fill(right, b)];
    if (n !== m) return false;
    if (n === 0) return true;
    for (let i = 0; i < n; i++) if (a[i] !== b[i]) return false;
  }
}

function fill(file: Deno.FsFile, buffer: Uint8Array): number {
  let filled = 0;
  while (filled < buffer.length) {
    const read = file.readSync(buffer.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return filled;
}
