/** What the user sends, and where codex is at home, on real binaries. */
import { strict as assert } from "node:assert";
import type { ErrorBody } from "../../plugin/protocol.ts";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { executable } from "../support/checkout.ts";
import { startHost } from "../support/host.ts";
import { decodeBase64 } from "../../base/picture.ts";
import { canMount } from "../support/mounted.ts";
import { command, type ScriptedItem } from "../support/model/items.ts";
import { PIXEL } from "../support/pixel.ts";
import { RpcError } from "../support/rpc_error.ts";
import { openSandbox } from "../support/sandbox.ts";
import { requirements, requires } from "../../scripts/proof/matrix/machine.ts";
import { asks, configOf, EVERY_WAY, openWorld, plays, STAYING } from "./world.ts";
import { skipped } from "../support/skipped.ts";

const ALL_VERSIONS = [...EVERY_WAY, "0.169.0"];

function looksAt(workspace: string, images: Record<string, unknown>[]) {
  const content = [
    { type: "text", text: "look" },
    ...images.map((image) => ({
      type: "image",
      ...image,
    })),
  ];
  return { ...asks(workspace, ""), request: { messages: [{ role: "user", content }] } };
}

/** `data:` URLs of the images in the model's last request, without their bytes. */
const shown = (asked: unknown): string[] =>
  [...JSON.stringify(asked).matchAll(/"image_url":"(data:[\w/]+)/g)].map(([, type = ""]) => type);

for (const version of ALL_VERSIONS) {
  Deno.test(`pictures of every kind reach the model on codex ${version}, whatever their paths hold`, async () => {
    const { binary: native, config } = await configOf(version);
    await using sandbox = await openSandbox({ binary: native, config });
    // Everything that is the plugin's lies under a name with a comma, too.
    const profile = join(sandbox.root, "p,q");
    await Deno.rename(sandbox.profile, profile);
    await using host = await startHost({ env: { ...sandbox.env, PLEXUM_PROFILE_ROOT: profile } });
    await host.initialize();
    const images = Object.entries(PIXEL).map(([kind, base64]) => {
      const path = `a, ${kind} picture.png`;
      Deno.writeFileSync(join(sandbox.workspace, path), decodeBase64(base64) ?? assert.fail());
      return { path, media_type: "image/png" };
    });
    const turn = host.stream(looksAt(sandbox.workspace, images));
    assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
    const kinds = shown(sandbox.model.asked.at(-1));
    assert.equal(kinds.length, images.length, kinds.join(" "));
    assert.deepEqual([...Deno.readDirSync(sandbox.temp)], [], "no link is left");
  });

  Deno.test(`workspace behind a link is told to codex ${version} as it was given, and is one thread`, async () => {
    await using world = await openWorld(version, { steps: [{ text: "one" }, { text: "two" }] });
    const { host, sandbox } = world;
    const parent = await sandbox.newWorkspace("linked");
    Deno.mkdirSync(join(parent, ".git"));
    Deno.writeTextFileSync(join(parent, "AGENTS.md"), "mind the parent of the link");
    const link = join(parent, "link");
    Deno.symlinkSync(sandbox.workspace, link);
    const trace = join(sandbox.codexHome, "planted");
    Deno.mkdirSync(join(sandbox.workspace, ".codex"));
    Deno.writeTextFileSync(
      join(sandbox.workspace, ".codex", "config.toml"),
      `[mcp_servers.planted]\ncommand = "/bin/sh"\nargs = ["-c", "touch ${trace}"]\n`,
    );
    const { thread_id } = await host.stream(asks(link, "hello")).result;
    const asked = JSON.stringify(sandbox.model.asked.at(-1));
    assert.ok(asked.includes(`<cwd>${link}</cwd>`), asked.match(/<cwd>[^<]*/)?.[0]);
    assert.equal((await host.stream(asks(sandbox.workspace, "again")).result).thread_id, thread_id);
    assert.ok(!existsSync(trace), "what lies in the workspace is not believed under either name");
  });

  Deno.test(`relative CODEX_HOME of codex ${version} is no directory of the workspace`, async () => {
    const { binary: native, config } = await configOf(version);
    await using sandbox = await openSandbox({ binary: native, config });
    const trace = join(sandbox.root, "planted");
    Deno.mkdirSync(join(sandbox.workspace, "codex"));
    Deno.writeTextFileSync(
      join(sandbox.workspace, "codex", "config.toml"),
      `[mcp_servers.planted]\ncommand = "/bin/sh"\nargs = ["-c", "touch ${trace}"]\n`,
    );
    await using host = await startHost({
      env: { ...sandbox.env, CODEX_HOME: "codex" },
      cwd: sandbox.root,
    });
    await host.initialize();
    const turn = host.stream(asks(sandbox.workspace, "hello"));
    assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
    assert.ok(!existsSync(trace));
    assert.ok(existsSync(join(sandbox.codexHome, "sessions")), "the home is the plugin's");
  });

  Deno.test({
    name: `service without HOME has one codex home, for codex ${version} and for the plugin`,
    ignore: skipped(!canMount(), "no file system may be mounted here"),
    fn: async () => {
      const { binary: native, config } = await configOf(version);
      const call = { type: "function_call", name: "no_such_tool", args: {}, call_id: "call_1" };
      await using sandbox = await openSandbox({
        binary: native,
        config,
        steps: [{ items: [call as ScriptedItem] }, { text: "done" }],
      });
      const home = join(sandbox.home, ".codex");
      await Deno.rename(sandbox.codexHome, home);
      // A password database in which this user lives in the sandbox; nobody else sees it.
      const passwd = join(sandbox.root, "passwd");
      Deno.writeTextFileSync(passwd, `somebody:x:${Deno.uid()}:0::${sandbox.home}:/bin/sh\n`);
      const { HOME: _home, CODEX_HOME: _codexHome, ...env } = sandbox.env;
      const { command, args } = await executable();
      const mounted = `mount --bind ${passwd} /etc/passwd && exec "$0" "$@"`;
      const inside = ["-m", "sh", "-c", mounted, command, ...args];
      await using host = await startHost({ env, command: { command: "unshare", args: inside } });
      await host.initialize();
      const turn = host.stream(asks(sandbox.workspace, "hello"));
      assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
      assert.equal(turn.of("tool_result").length, 1, turn.story());
      assert.ok(existsSync(join(home, "sessions")));
      const consumed = await host.request("plexum/session/mutate", {
        agent_id: "cx",
        workspace: sandbox.workspace,
        mutations: [{ block_id: "call_1", op: "consume-light" }],
      });
      assert.equal((consumed as { touched: number }).touched, 1);
      const doctor = await new Deno.Command("unshare", {
        args: [...inside, "doctor", "--json"],
        env,
        clearEnv: true,
      }).output();
      assert.ok(new TextDecoder().decode(doctor.stdout).includes(home), "doctor looks there, too");
    },
  });

  Deno.test({
    name: `machine that opens the sandbox of codex ${version} ends the turn before a command runs`,
    ignore: skipped(!canMount(), "no file system may be mounted here"),
    fn: async () => {
      const { binary: native, config } = await configOf(version);
      await using sandbox = await openSandbox({
        binary: native,
        config: { ...config, sandbox: "read-only", retries: 0 },
        steps: [
          {
            items: [command("touch wrote")],
            delayMs: 1_500,
          },
          { text: "done" },
        ],
      });
      await requires(sandbox, native, 'allowed_sandbox_modes = ["workspace-write"]');
      await using host = await startHost({ env: sandbox.env });
      await host.initialize();
      const turn = host.stream(asks(sandbox.workspace, "write"));
      const end = await turn.result.catch((error: unknown) => error);
      const error = end instanceof RpcError ? end.data as ErrorBody : turn.of("error")[0]?.error;
      assert.equal(error?.kind, "config", turn.story());
      assert.ok(!existsSync(join(sandbox.workspace, "wrote")));
    },
  });
}

for (const way of [...STAYING, "0.169.0"]) {
  Deno.test({
    name: `machine that narrows the sandbox of codex ${way} is told of, and forbids the widest`,
    ignore: skipped(!canMount(), "no file system may be mounted here"),
    fn: () => plays(requirements, way),
  });
}
