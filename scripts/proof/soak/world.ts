/**
 * One plugin process and many workspaces; in some runs a real codex with a host tool, in the others
 * a fake one. Which, the workspace's name decides, in a script that stands for codex.
 */
import { join } from "@std/path";
import { startEchoHost, TOOLS } from "../kill/prey.ts";
import { answer } from "../kill/model.ts";
import { codexBinary, NEWEST_CODEX } from "../../../tests/support/codex.ts";
import { type Act, began, completed, fakeCodex, said } from "../../../tests/support/fake_codex.ts";
import type { Host } from "../../../tests/support/host.ts";
import { openSandbox, type Sandbox } from "../../../tests/support/sandbox.ts";

/** How many workspaces, and how many of them are of a real codex. */
export interface SoakSize {
  workspaces: number;
  real: number;
  /** The real one stays between turns. */
  stays?: boolean;
}

/** What one turn came to. */
export interface SoakTurn {
  real: boolean;
  /** Request to `message_end`. */
  ms: number;
}

interface Place {
  path: string;
  real: boolean;
  /** Told, and not consumed yet. */
  calls: string[];
}

/** The world of a soak. */
export class SoakWorld implements AsyncDisposable {
  readonly #sandbox: Sandbox;
  readonly #host: Host;
  readonly #workspaces: Place[];
  #turns = 0;

  private constructor(sandbox: Sandbox, host: Host, workspaces: Place[]) {
    this.#sandbox = sandbox;
    this.#host = host;
    this.#workspaces = workspaces;
  }

  static async open({ workspaces, real, stays }: SoakSize): Promise<SoakWorld> {
    const sandbox = await openSandbox({
      binary: "codex",
      fallback: { answer: (request) => ({ ...answer(request), chunkDelayMs: 0 }) },
    });
    const { native } = await codexBinary(NEWEST_CODEX);
    const fake = await fakeCodex(sandbox.root, { acts: acts() });
    const binary = join(sandbox.root, "either-codex");
    await Deno.writeTextFile(
      binary,
      `#!/bin/sh\ncase "$PWD" in */fake-*) exec '${fake.path}' "$@";; esac\nexec '${native}' "$@"\n`,
    );
    await Deno.chmod(binary, 0o755);
    await sandbox.configure({ binary, ...(stays ? { transport: "app-server" } : {}) });
    const places: Place[] = [];
    for (let n = 0; n < workspaces; n++) {
      const name = n < real ? `real-${n}` : `fake-${n}`;
      places.push({ path: await sandbox.newWorkspace(name), real: n < real, calls: [] });
    }
    return new SoakWorld(sandbox, await startEchoHost(sandbox.env), places);
  }

  /** Runs the next turn, in the workspace whose turn it is; throws when it does not end well. */
  async turn(): Promise<SoakTurn> {
    const number = ++this.#turns;
    const place = this.#workspaces[number % this.#workspaces.length];
    if (place === undefined) throw new RangeError("no workspaces");
    const { path: workspace, real, calls } = place;
    const started = performance.now();
    const turn = this.#host.stream({
      agent: { agent_id: "cx", workspace },
      request: {
        messages: [{ role: "user", content: `turn ${number}` }],
        tools: real ? TOOLS : [],
      },
    });
    const { stop_reason } = await turn.end();
    const ms = performance.now() - started;
    if (stop_reason !== "end_turn") throw new Error(turn.story());
    calls.push(...turn.of("tool_call_start").map(({ id }) => id));
    if (calls.length >= 5) await this.#consume(workspace, calls.splice(0));
    return { real, ms };
  }

  /** Resident memory of the plugin in MiB, and its open descriptors where the system tells. */
  async size(): Promise<
    { mebibytes: number; descriptors: number | undefined; servers: number; serverMebibytes: number }
  > {
    const args = ["-o", "rss=", "-p", String(this.#host.pid)];
    const { stdout } = await new Deno.Command("ps", { args }).output();
    const mebibytes = Number(new TextDecoder().decode(stdout).trim()) / 1024;
    const kept = await this.#servers();
    const sizes = { mebibytes, servers: kept.length, serverMebibytes: Math.max(0, ...kept) };
    try {
      const descriptors = [...Deno.readDirSync(`/proc/${this.#host.pid}/fd`)].length;
      return { ...sizes, descriptors };
    } catch {
      return { ...sizes, descriptors: undefined };
    }
  }

  /** Resident memory of each codex that stays, in MiB. */
  async #servers(): Promise<number[]> {
    const args = ["axww", "-o", "ppid=,rss=,args="];
    const { stdout } = await new Deno.Command("ps", { args }).output();
    return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
      const [, ppid, rss] = /^\s*(\d+)\s+(\d+)\s.* app-server /.exec(line) ?? [];
      return Number(ppid) === this.#host.pid ? [Number(rss) / 1024] : [];
    });
  }

  /** Ends the plugin; throws when anything of its turns is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
    await this.#sandbox[Symbol.asyncDispose]();
  }

  async #consume(workspace: string, calls: string[]): Promise<void> {
    await this.#host.request("plexum/session/mutate", {
      agent_id: "cx",
      workspace,
      mutations: calls.map((block_id) => ({ block_id, op: "consume-heavy" })),
    });
  }
}

function acts(): Act[] {
  const item = (type: string, fields: Record<string, unknown>): Act => ({
    rollout: [{ type: "response_item", payload: { type, call_id: "call $PROMPT", ...fields } }],
  });
  const print = { type: "item.completed", item: { id: "item_$N", type: "novelty" } };
  return [
    began(),
    { print: { type: "turn.started" } },
    item("function_call", { name: "exec_command", arguments: '{"cmd":"ls -l"}' }),
    { flood: { count: 50, print } },
    item("function_call_output", { output: "a line of output\n".repeat(20) }),
    said("done"),
    completed(),
  ];
}
