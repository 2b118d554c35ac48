/**
 * One plugin process and many workspaces; in some runs a real codex with a host tool, in the others
 * a fake one. Which, the workspace's name decides, in a script that stands for codex.
 */
import { join } from "@std/path";
import { answer, echo, fakeActs, TOOLS } from "../kill/model.ts";
import { codexBinary, NEWEST_CODEX } from "../../../tests/support/codex.ts";
import { Lab } from "../../../tests/support/lab.ts";
import { namesIn } from "../../../tests/support/files.ts";

/** What one turn came to. */
export interface SoakTurn {
  real: boolean;
  /** Request to `message_end`. */
  ms: number;
}

/** A workspace of a soak. */
export interface Place {
  path: string;
  real: boolean;
  /** Told, and not consumed yet. */
  calls: string[];
}

/** The world of a soak. */
export class SoakWorld implements AsyncDisposable {
  #turns = 0;

  private constructor(readonly lab: Lab, readonly places: Place[]) {}

  /** So many workspaces, and so many of them of a real codex, which may stay between turns. */
  static async open(workspaces: number, real: number, stays: boolean): Promise<SoakWorld> {
    const { native } = await codexBinary(NEWEST_CODEX);
    const lab = await Lab.open({ acts: fakeActs(50, 0, "a line of output\n".repeat(20)) }, {
      transport: stays ? "app-server" : "exec",
      fallback: { answer: (request) => ({ ...answer(request), chunkDelayMs: 0 }) },
      onToolCall: echo,
      async prepare({ root, fake, configure }) {
        const binary = join(root, "either-codex");
        const either = `case "$PWD" in */fake-*) exec '${fake.path}' "$@";; esac`;
        const script = `#!/bin/sh\n${either}\nexec '${native}' "$@"\n`;
        await Deno.writeTextFile(binary, script, { mode: 0o755 });
        await configure({ binary });
      },
    });
    const places: Place[] = [];
    for (let n = 0; n < workspaces; n++) {
      const name = n < real ? `real-${n}` : `fake-${n}`;
      places.push({ path: await lab.sandbox.newWorkspace(name), real: n < real, calls: [] });
    }
    return new SoakWorld(lab, places);
  }

  /** Runs the next turn, in the workspace whose turn it is; throws when it does not end well. */
  async turn(): Promise<SoakTurn> {
    const number = ++this.#turns;
    const place = this.places[number % this.places.length];
    if (place === undefined) throw new RangeError("no workspaces");
    const { path: workspace, real, calls } = place;
    const started = performance.now();
    const turn = this.lab.start(`turn ${number}`, { workspace, tools: real ? TOOLS : [] });
    const { stop_reason } = await turn.end();
    const ms = performance.now() - started;
    if (stop_reason !== "end_turn") throw new Error(turn.story());
    calls.push(...turn.of("tool_call_start").map(({ id }) => id));
    if (calls.length >= 5) {
      const all = calls.splice(0).map((block_id) => ({ block_id, op: "consume-heavy" }));
      await this.lab.mutateAll(all, workspace);
    }
    return { real, ms };
  }

  /**
   * Resident memory of the plugin in MiB, its open descriptors where the system tells, and of codex that
   * stay: how many, and what the largest of them holds.
   */
  async size() {
    const { sandbox, host: { pid } } = this.lab;
    const all = await sandbox.processes();
    const servers = all.filter(({ ppid, command }) => ppid === pid && / app-server /.test(command));
    return {
      mebibytes: all.find((one) => one.pid === pid)?.mebibytes ?? NaN,
      descriptors: namesIn(`/proc/${pid}/fd`).length || NaN,
      servers: servers.length,
      serverMebibytes: Math.max(0, ...servers.map(({ mebibytes }) => mebibytes)),
    };
  }

  /** Ends the plugin; throws when anything of its turns is left. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.lab[Symbol.asyncDispose]();
  }
}
