/**
 * Rollouts to test with: captured ones by version and scenario, and a CODEX_HOME to put them in.
 *
 * Captured files are verbatim except for replaced paths and strings cut after 500 characters.
 */
import { existsSync } from "node:fs";
import { fromFileUrl, join } from "@std/path";

const FIXTURES = fromFileUrl(new URL("../fixtures/", import.meta.url));

export interface Captured {
  version: string;
  scenario: string;
  threadId: string;
  bytes: Uint8Array;
}

/** One captured rollout. */
export function captured(version: string, scenario: string): Captured {
  const bytes = Deno.readFileSync(join(FIXTURES, version, scenario, "rollout.jsonl"));
  const [first] = linesOf(bytes);
  const meta = JSON.parse(first ?? "{}");
  return { version, scenario, threadId: meta.payload.id, bytes };
}

/** All captured rollouts. */
export function allCaptured(): Captured[] {
  const names = (path: string): string[] =>
    [...Deno.readDirSync(path)].filter((entry) => entry.isDirectory).map((entry) => entry.name);
  return names(FIXTURES).flatMap((version) =>
    names(join(FIXTURES, version))
      .filter((scenario) => existsSync(join(FIXTURES, version, scenario, "rollout.jsonl")))
      .map((scenario) => captured(version, scenario))
  );
}

/** A temporary CODEX_HOME, removed when the test's scope ends. */
export class CodexHome {
  readonly dir = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "plexum-rollout-" }));

  /** The path codex would give the rollout of this thread, its directory made. */
  path(threadId: string, day = "2026/11/22"): string {
    const directory = join(this.dir, "sessions", day);
    Deno.mkdirSync(directory, { recursive: true });
    return join(directory, `rollout-${day.replaceAll("/", "-")}T12-00-00-${threadId}.jsonl`);
  }

  /** Puts a captured rollout where codex would have it. */
  put(rollout: Captured): string {
    const path = this.path(rollout.threadId);
    Deno.writeFileSync(path, rollout.bytes);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

/** The lines of a file as text, without the last empty one. */
export function linesOf(bytes: Uint8Array): string[] {
  const text = new TextDecoder().decode(bytes);
  return text.endsWith("\n") ? text.slice(0, -1).split("\n") : text.split("\n");
}
