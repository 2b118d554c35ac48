/**
 * The codex that a self-test passed with on this machine, remembered for the file as it was then: being newer
 * than what the plugin was tested with is no news any more.
 *
 * @module
 */
import { join } from "@std/path";
import * as z from "zod/mini";
import { replaceFile } from "../base/durable.ts";
import { readOwnFile, stampOf } from "../base/files.ts";
import type { Capabilities } from "../runner/codex/capabilities.ts";
import type { CodexBinary } from "../runner/codex/codex_binary.ts";
import { VERSION } from "./self.ts";

/** What of a codex is remembered. */
export type Probed = Pick<CodexBinary, "path"> & { capabilities: Pick<Capabilities, "version"> };
const Tested = z.object({ plugin: z.string(), binary: z.string(), at: z.string() });

/** What is remembered in a state directory. */
export class TestedCodex {
  readonly #path: string;
  #read: { stamp: string; tested: z.infer<typeof Tested> | undefined } | undefined;

  constructor(state: string) {
    this.#path = join(state, "tested.json");
  }

  /** When this very file passed with this version of the plugin; `undefined` where it did not. */
  at(codex: Probed): string | undefined {
    try {
      const tested = this.#tested();
      return tested?.plugin === VERSION && tested.binary === identityOf(codex)
        ? tested.at
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** A whole turn of this codex went well. @throws {Error} when that cannot be written. */
  remember(codex: Probed): void {
    const tested = { plugin: VERSION, binary: identityOf(codex), at: new Date().toISOString() };
    replaceFile(this.#path, `${JSON.stringify(tested)}\n`, 0o600);
  }

  /** Read again only when the file is another one. */
  #tested(): z.infer<typeof Tested> | undefined {
    const stamp = stampOf(this.#path);
    if (this.#read?.stamp !== stamp) {
      const text = stamp === "" ? "null" : new TextDecoder().decode(readOwnFile(this.#path));
      this.#read = { stamp, tested: z.safeParse(Tested, JSON.parse(text)).data };
    }
    return this.#read.tested;
  }
}

/** With its version: the file may be a wrapper, and what it starts another one by now. */
function identityOf({ path, capabilities }: Probed): string {
  const { size, mtime } = Deno.statSync(path);
  return `${path} ${capabilities.version} ${size} ${mtime?.toISOString()}`;
}
