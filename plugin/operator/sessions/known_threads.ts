/**
 * The threads that an operator can name: those that the plugin remembers, and any other of codex's by
 * its whole id.
 *
 * @module
 */
import { isThreadId, locateRolloutSync } from "../../../rollout/locate.ts";
import { StateStore } from "../../../rollout/state/state.ts";
import { codexEnvironment, codexHome } from "../../../runner/codex/environment.ts";
import { loadConfig } from "../../config/config.ts";
import type { ProfilePaths } from "../../profile.ts";
import { complain } from "../cli/terminal.ts";
import { exists } from "../setup/step.ts";

/** A thread and whose it is. */
export interface KnownThread {
  threadId: string;
  /** Both `undefined` where the plugin does not remember it. */
  agentId?: string | undefined;
  workspace?: string | undefined;
  /** Where its rollout is, or why there is none to read. */
  rollout: { path: string } | { missing: string };
}

/** The threads of a profile. */
export class KnownThreads {
  readonly codexHome: string;
  /** `undefined` where no turn ever ran. */
  readonly store: StateStore | undefined;

  constructor(paths: ProfilePaths) {
    const { config } = loadConfig(paths.config);
    this.codexHome = codexHome(codexEnvironment(Deno.env.toObject(), config.env));
    this.store = exists(paths.state)
      ? new StateStore(paths.state, { onWarning: complain })
      : undefined;
  }

  /** All that the plugin remembers. */
  all(): KnownThread[] {
    return (this.store?.list() ?? []).map(({ agentId, workspace, state }) => ({
      threadId: state.threadId,
      agentId,
      workspace,
      rollout: this.#rollout(state.threadId, state.rolloutPath),
    }));
  }

  /**
   * The thread that `word` means: the beginning of an id, an agent, or a workspace; the only one
   * there is when left out. Among several the one of the current directory is meant.
   * @throws {Error} when it means none or several.
   */
  find(word: string | undefined): KnownThread {
    const all = this.all();
    const fitting = word === undefined
      ? all
      : all.filter(({ threadId, agentId, workspace }) =>
        threadId.startsWith(word.toLowerCase()) || agentId === word || workspace === word
      );
    const here = fitting.filter(({ workspace }) => workspace === Deno.cwd());
    const [first, second] = fitting.length > 1 && here.length === 1 ? here : fitting;
    if (first !== undefined && second === undefined) return first;
    if (first === undefined && word !== undefined && isThreadId(word)) {
      return { threadId: word, rollout: this.#rollout(word, undefined) };
    }
    const what = word === undefined ? "is known" : `fits ${JSON.stringify(word)}`;
    if (first === undefined) throw new Error(`no thread ${what}; see sessions list`);
    const ids = fitting.map(({ threadId, agentId }) => `  ${threadId}  ${agentId ?? ""}`);
    throw new Error(`more than one thread ${what}:\n${ids.join("\n")}`);
  }

  #rollout(threadId: string, remembered: string | undefined): KnownThread["rollout"] {
    const located = locateRolloutSync(this.codexHome, threadId, remembered);
    switch (located.kind) {
      case "found":
        return { path: located.path };
      case "compressed":
        return { missing: `codex has compressed it: ${located.path}` };
      case "refused":
        return { missing: `${located.path}: ${located.reason}` };
      case "missing":
        return { missing: `not below ${this.codexHome}` };
    }
  }
}
