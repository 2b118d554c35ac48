/** What a command of the model may do under each `sandbox` of the configuration. */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { command } from "../support/model/items.ts";
import { skipped } from "../support/skipped.ts";
import { codexCanSandbox } from "../support/user_namespaces.ts";
import { asks, EVERY_WAY, openWorld } from "./world.ts";

skipped(
  !codexCanSandbox(),
  "codex's own sandbox: no user namespaces here, so commands run without",
);

const FOLDERS = ["workspace", "extra", "elsewhere"] as const;

/** By configuration: the folders in which a file can be made. `extra` is named in writable_roots. */
const MAY_WRITE = {
  "read-only": [],
  "workspace-write": ["workspace", "extra"],
  "danger-full-access": ["workspace", "extra", "elsewhere"],
};

for (const version of EVERY_WAY) {
  for (const [setting, folders] of Object.entries(MAY_WRITE)) {
    const ignore = !codexCanSandbox() && setting !== "danger-full-access";
    Deno.test(
      `command under codex ${version} with sandbox "${setting}" writes ${
        folders.join(", ") || "nothing"
      }`,
      { ignore },
      async () => {
        await using world = await openWorld(version, { fallback: { text: "done" } });
        const { sandbox, host } = world;
        const paths = {
          workspace: sandbox.workspace,
          extra: await sandbox.newWorkspace("extra"),
          elsewhere: await sandbox.newWorkspace("elsewhere"),
        };
        await sandbox.configure({ sandbox: setting, writable_roots: [paths.extra] });
        const cmd = FOLDERS.map((name) => `echo x > '${join(paths[name], "made")}'`).join("; ");
        sandbox.model.pushStep({
          items: [command(cmd, "call_1")],
        });
        const turn = host.stream(asks(sandbox.workspace, "write"));
        assert.equal((await turn.result).stop_reason, "end_turn");
        const made = FOLDERS.filter((name) => existsSync(join(paths[name], "made")));
        assert.deepEqual(made, folders, JSON.stringify(turn.of("tool_result")));
      },
    );
  }

  for (const network_access of [false, true]) {
    const ignore = !codexCanSandbox();
    Deno.test(
      `command under codex ${version} ${
        network_access ? "reaches" : "does not reach"
      } the network when network_access is ${network_access}`,
      { ignore },
      async () => {
        await using world = await openWorld(version, {
          config: { network_access },
          fallback: { text: "done" },
        });
        const { sandbox, host } = world;
        const { hostname, port } = new URL(sandbox.model.url);
        const cmd = `bash -c 'exec 3<>/dev/tcp/${hostname}/${port} && touch reached'`;
        sandbox.model.pushStep({
          items: [command(cmd, "call_1")],
        });
        const turn = host.stream(asks(sandbox.workspace, "connect"));
        assert.equal((await turn.result).stop_reason, "end_turn");
        const reached = existsSync(join(sandbox.workspace, "reached"));
        assert.equal(reached, network_access, JSON.stringify(turn.of("tool_result")));
      },
    );
  }
}
