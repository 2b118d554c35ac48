/**
 * A real codex in a world of its own, without the plugin: turns by `codex exec`, consumes by `rollout/`.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import type { Session } from "../../rollout/consume/consume.ts";
import { locateRolloutSync } from "../../rollout/locate.ts";
import { StateStore } from "../../rollout/state/state.ts";
import type { Sandbox } from "../support/sandbox.ts";

/** What `codex exec` said. */
export interface ExecResult {
  code: number;
  threadId: string;
  stdout: string;
  stderr: string;
}

/** Runs one turn: a new thread, or a resumed one. Does not judge how it ended. */
export async function execTurn(
  sandbox: Sandbox,
  codex: string,
  threadId?: string,
): Promise<ExecResult> {
  const resume = threadId === undefined ? ["-"] : ["resume", "--", threadId, "-"];
  const child = new Deno.Command(codex, {
    args: [
      ...["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"],
      ...["-C", sandbox.workspace, ...resume],
    ],
    env: sandbox.env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdin = child.stdin.getWriter();
  await stdin.write(new TextEncoder().encode("go on"));
  await stdin.close();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  const said = text.decode(stdout);
  const started = /"thread_id":"([^"]+)"/.exec(said)?.[1] ?? "";
  return { code, threadId: started, stdout: said, stderr: text.decode(stderr) };
}

/** The same, and fails unless the turn was completed on the expected thread. */
export async function completedTurn(
  sandbox: Sandbox,
  codex: string,
  threadId?: string,
): Promise<ExecResult> {
  const result = await execTurn(sandbox, codex, threadId);
  const { code, stdout, stderr } = result;
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /"type":"turn.completed"/);
  if (threadId !== undefined) assert.equal(result.threadId, threadId);
  return result;
}

/** A plugin's memory of that thread. */
export async function rememberThread(
  sandbox: Sandbox,
  threadId: string,
): Promise<{ session: Session; path: string }> {
  const located = locateRolloutSync(sandbox.codexHome, threadId);
  assert.equal(located.kind, "found", JSON.stringify(located));
  const path = located.kind === "found" ? located.path : "";
  const store = new StateStore(join(sandbox.root, "state"), {
    onWarning: (message) => assert.fail(message),
  });
  const usageTotal = {
    inputTokens: 0,
    cachedInputTokens: 0,
    outputTokens: 0,
    reasoningOutputTokens: 0,
  };
  await store.save("cx", sandbox.workspace, {
    threadId,
    rolloutPath: path,
    endOffset: 0,
    usageTotal,
  });
  return {
    session: { store, codexHome: sandbox.codexHome, agentId: "cx", workspace: sandbox.workspace },
    path,
  };
}
