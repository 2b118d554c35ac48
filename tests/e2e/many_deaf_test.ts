/** The host goes away while 150 turns run whose codex ignores every signal that can be ignored. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";
import { asks } from "./world.ts";
import { skipped } from "../support/skipped.ts";

const COUNT = 150;
const GRACE_MS = 500;
/** Two processes each, and no Node: the machine shall be busy with ending them, not with starting them. */
const DEAF = `#!/bin/sh
[ "$1" = --version ] && { echo codex-cli 0.169.0; exit; }
trap '' INT TERM HUP
read -r id < /proc/sys/kernel/random/uuid
printf '{"type":"thread.started","thread_id":"%s"}\\n{"type":"turn.started"}\\n' "$id"
setsid sleep 1000 &
while :; do sleep 1000; done
`;

for (const busy of [false, true]) {
  Deno.test({
    name: `plugin whose host is gone ends ${COUNT} deaf codex in time, on a ${
      busy ? "busy" : "calm"
    } machine`,
    ignore: skipped(Deno.build.os !== "linux", "it looks into /proc"),
    async fn() {
      await using sandbox = await openSandbox({
        binary: "codex",
        config: { timeouts: { grace_ms: GRACE_MS } },
      });
      const codex = join(sandbox.root, "codex-deaf");
      await Deno.writeTextFile(codex, DEAF);
      await Deno.chmod(codex, 0o755);
      await sandbox.configure({ binary: codex });
      await using host = await startHost({ env: sandbox.env });
      await host.initialize();
      const turns = [];
      for (let n = 0; n < COUNT; n++) {
        const workspace = await sandbox.newWorkspace(`w${n}`);
        turns.push(host.stream(asks(workspace, "hello")));
      }
      for (const turn of turns) await turn.until("message_start");
      using _ = busy ? load() : { [Symbol.dispose]: () => {} };
      const began = performance.now();
      await host.closeStdin();
      for (const turn of turns) assert.equal((await turn.end()).stop_reason, "cancelled");
      assert.deepEqual(await host.exit, { code: 0, signal: null });
      const took = performance.now() - began;
      assert.deepEqual(await sandbox.processes(), []);
      const running = join(sandbox.profile, "plugins/plexum-openai-provider/state/running");
      assert.deepEqual([...Deno.readDirSync(running)], []);
      // What `serve` allows itself, and a little for the machine.
      assert.ok(took < GRACE_MS + 25_000, `it took ${took} ms`);
    },
  });
}

/** Four programs that want a core each. */
function load(): Disposable {
  const burners = Array.from({ length: 4 }, () =>
    new Deno.Command("/bin/sh", {
      args: ["-c", "while :; do :; done"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn());
  return { [Symbol.dispose]: () => burners.forEach((burner) => burner.kill("SIGKILL")) };
}
