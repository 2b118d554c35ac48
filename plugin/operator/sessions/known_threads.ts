/**
 * The threads that an operator can name: those that the plugin remembers, and any other of codex's by
 * its whole id.
 *
 * @module
 */
import { exists } from "../../../base/files.ts";
import type { ConsumeOp } from "../../../rollout/consume/plan.ts";
import { readPending } from "../../../rollout/consume/thread_files.ts";
import { isThreadId, locateRolloutSync } from "../../../rollout/locate.ts";
import { StateStore } from "../../../rollout/state/state.ts";
import { codexEnvironment, codexHome } from "../../../runner/codex/environment.ts";
import { loadConfig } from "../../config/config.ts";
import type { Config } from "../../config/config_schema.ts";
import { agentEnv } from "../../config/settings.ts";
import type { ProfilePaths } from "../../profile.ts";
import { complain } from "../cli/terminal.ts";

/** A thread and whose it is. */
export interface KnownThread {
  threadId: string;
  /** Both `undefined` where the plugin does not remember it. */
  agentId?: string | undefined;
  workspace?: string | undefined;
  /** Where the rollout was last. */
  rolloutPath?: string | undefined;
  /** Where its rollout is, or why there is none to read. */
  rollout: { path: string } | { missing: string };
  /** Consumes that wait until codex is done with the thread, by call. */
  waiting: ReadonlyMap<string, ConsumeOp>;
}

/** The threads of a profile. */
export class KnownThreads {
  readonly #config: Config;
  /** `undefined` where no turn ever ran. */
  readonly store: StateStore | undefined;

  constructor(paths: ProfilePaths) {
    this.#config = loadConfig(paths.config).config;
    this.store = exists(paths.state)
      ? new StateStore(paths.state, { onWarning: complain })
      : undefined;
  }

  /** Where codex keeps an agent's sessions. */
  codexHomeOf(agentId = ""): string {
    return codexHome(codexEnvironment(Deno.env.toObject(), agentEnv(this.#config, agentId)));
  }

  /** All that the plugin remembers. */
  all(): KnownThread[] {
    return (this.store?.list() ?? []).map(({ agentId, workspace, state }) => ({
      agentId,
      workspace,
      ...this.#thread(state.threadId, { agentId, rolloutPath: state.rolloutPath }),
    }));
  }

  /**
   * The thread that `word` means: an agent, a workspace, an id or its beginning; the only one there is
   * when left out. What is exactly the word goes before what begins with it; among several the one of
   * the current directory is meant.
   * @throws {Error} when it means none or several.
   */
  find(word: string | undefined): KnownThread {
    const fitting = this.#fitting(word);
    const here = fitting.filter(({ workspace }) => workspace === Deno.cwd());
    const [first, second] = fitting.length > 1 && here.length === 1 ? here : fitting;
    if (first !== undefined && second === undefined) return first;
    if (first === undefined && word !== undefined && isThreadId(word)) return this.#thread(word);
    const what = word === undefined ? "is known" : `fits ${JSON.stringify(word)}`;
    if (first === undefined) throw new Error(`No thread ${what}; see sessions list`);
    const ids = fitting.map(({ threadId, agentId }) => `  ${threadId}  ${agentId ?? ""}`);
    throw new Error(`More than one thread ${what}:\n${ids.join("\n")}`);
  }

  #fitting(word: string | undefined): KnownThread[] {
    const all = this.all();
    if (word === undefined) return all;
    const id = word.toLowerCase();
    const exact = all.filter(({ threadId, agentId, workspace }) =>
      threadId === id || agentId === word || workspace === word
    );
    return exact.length > 0 ? exact : all.filter(({ threadId }) => threadId.startsWith(id));
  }

  #thread(
    threadId: string,
    { agentId, rolloutPath }: { agentId?: string; rolloutPath?: string | undefined } = {},
  ): KnownThread {
    return {
      threadId,
      rolloutPath,
      rollout: rolloutIn(this.codexHomeOf(agentId), threadId, rolloutPath),
      waiting: this.#waiting(threadId),
    };
  }

  #waiting(threadId: string): KnownThread["waiting"] {
    try {
      const path = this.store?.threadFile(threadId, "pending");
      return (path === undefined ? undefined : readPending(path))?.ops ?? new Map();
    } catch {
      return new Map(); // it is set aside and reported by whoever carries it out
    }
  }
}

function rolloutIn(
  codexHome: string,
  threadId: string,
  remembered: string | undefined,
): KnownThread["rollout"] {
  const located = locateRolloutSync(codexHome, threadId, remembered);
  switch (located.kind) {
    case "found":
      return { path: located.path };
    case "compressed":
      return { missing: `codex has compressed it: ${located.path}` };
    case "refused":
      return { missing: `${located.path}: ${located.reason}` };
    case "missing":
      return { missing: `it is not below ${codexHome}` };
  }
}

/** The path of the thread's rollout. @throws {Error} where it has none. */
export function rolloutOf({ threadId, rollout }: KnownThread): string {
  if ("path" in rollout) return rollout.path;
  throw new Error(`Thread ${threadId} has no session file: ${rollout.missing}`);
}
