/**
 * Scenarios of what is not the agent's: the rules of the machine, and codex's own configuration.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import type { ErrorBody } from "../../../plugin/protocol.ts";
import type { Lab } from "../../../tests/support/lab.ts";
import { canMount } from "../../../tests/support/mounted.ts";
import { RpcError } from "../../../tests/support/rpc_error.ts";
import type { Sandbox } from "../../../tests/support/sandbox.ts";
import type { Play, Scenario } from "./run.ts";

/** The error of a turn that is refused before its first event. */
async function refusal(lab: Lab): Promise<ErrorBody> {
  const turn = lab.start("hello");
  const refused: unknown = await turn.result.catch((error: unknown) => error);
  assert.ok(refused instanceof RpcError, turn.story());
  assert.deepEqual(turn.seen, []);
  return refused.data as ErrorBody; // its shape was looked at by the host
}

/**
 * Gives this codex, and nobody else, an /etc with such a requirements.toml; the path under which it
 * has it.
 */
export async function requires(
  sandbox: Sandbox,
  native: string,
  requirement: string,
): Promise<string> {
  const etc = join(sandbox.root, "etc");
  assert.ok(new Deno.Command("cp", { args: ["-a", "/etc", etc] }).outputSync().success);
  Deno.mkdirSync(join(etc, "codex"), { recursive: true });
  Deno.writeTextFileSync(join(etc, "codex", "requirements.toml"), `${requirement}\n`);
  const binary = join(sandbox.root, "codex-in-namespace");
  Deno.writeTextFileSync(
    binary,
    `#!/bin/sh\nexec unshare -m sh -c 'mount --bind ${etc} /etc && exec ${native} "$@"' sh "$@"\n`,
    { mode: 0o755 },
  );
  await sandbox.configure({ binary });
  return binary;
}

/** The administrator of the machine narrows what a codex may do. */
export const requirements: Scenario = {
  name: "requirements",
  promise:
    "a requirements.toml that narrows the sandbox is told, and one that forbids it is `config`",
  missing: () => canMount() ? undefined : "no file system may be mounted here",
  lab: { config: { retries: 0 } },
  async play(lab) {
    const { sandbox } = lab;
    const binary = await requires(sandbox, sandbox.binary, 'allowed_sandbox_modes = ["read-only"]');
    await lab.restart();
    const { turn } = await lab.succeed("hello");
    const sentence = "codex runs this turn with the sandbox read-only instead of workspace-write";
    assert.ok(turn.of("status").some(({ message }) => message === sentence), turn.story());
    await sandbox.configure({ binary, sandbox: "danger-full-access" });
    const { kind, hint } = await refusal(lab);
    assert.equal(kind, "config");
    assert.match(hint ?? "", /requirements\.toml/);
  },
};

/** A thread, and then codex's configuration has another name for its model provider. */
async function renamed(lab: Lab): Promise<void> {
  await lab.succeed("hello");
  const path = join(lab.sandbox.codexHome, "config.toml");
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replaceAll("scripted", "renamed"));
}

/** The provider that a thread was begun with is gone from codex's configuration. */
export const renamedProvider: Scenario = {
  name: "renamed-provider",
  promise: "`config`, every time, with the name of the model provider that the thread needs",
  lab: { config: { on_lost_session: "fail" } },
  async play(lab) {
    await renamed(lab);
    for (const _ of ["once", "again"]) {
      const { kind, retryable, message, hint } = await refusal(lab);
      assert.deepEqual([kind, retryable], ["config", false], message);
      assert.match(message, /model provider “scripted”, which is no longer configured/);
      assert.match(hint ?? "", /put it back, or begin a new thread/);
    }
  },
};

/** Where codex says no more than that it is not there. */
export const providerNotFound: Play = async (lab) => {
  await renamed(lab);
  for (const _ of ["once", "again"]) {
    const { kind, retryable, message } = await refusal(lab);
    assert.deepEqual([kind, retryable], ["config", false], message);
    assert.match(message, /Model provider `scripted` not found/);
  }
};

/** Where codex goes on with the provider that it has. */
export const otherProvider: Play = async (lab) => {
  await renamed(lab);
  const { turn } = await lab.succeed("and now?");
  assert.equal(turn.of("message_start")[0]?.resumed, true);
};
