/**
 * From the Go plugin to this one: its executable is replaced, its sessions go on.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { assistantTexts } from "../support/model/request.ts";
import { isCompiled, run } from "../plugin/operator/command_line.ts";
import { codexBinary, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { startHost } from "../support/host.ts";
import { openSandbox } from "../support/sandbox.ts";

const ignore = !await isCompiled();

for (const version of [OLDEST_CODEX, NEWEST_CODEX]) {
  Deno.test({
    name: `an agent's session of the Go plugin goes on after install, on codex ${version}`,
    ignore,
  }, async () => {
    const { native } = await codexBinary(version);
    await using sandbox = await openSandbox({
      binary: native,
      steps: [
        { text: "I am the answer of before." },
        (request) => ({ text: `Before: ${assistantTexts(request).join(" ")}` }),
      ],
    });
    const { env, workspace } = sandbox;
    const plugin = join(sandbox.profile, "plugins", "plexum-openai-provider");
    const program = join(plugin, "plexum-openai-provider-plugin");
    // What it left: an executable, its manifest, and a bare thread id in the workspace.
    Deno.writeTextFileSync(program, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
    const old = { name: "plexum-openai-provider", version: "0.0.1" };
    Deno.writeTextFileSync(join(plugin, "manifest.json"), JSON.stringify(old));
    const { stdout } = await new Deno.Command(native, {
      args: ["exec", "--json", "--skip-git-repo-check", "-C", workspace, "hello"],
      env,
      clearEnv: true,
      stdin: "null",
    }).output();
    const threadId = /"thread_id":"([^"]+)"/.exec(new TextDecoder().decode(stdout))?.[1] ?? "";
    Deno.writeTextFileSync(join(workspace, ".plexum-codex-session"), threadId);

    const installed = await run(["install", "--allow"], { env });
    assert.equal(installed.code, 0, installed.stderr);
    assert.match(installed.stdout, /replaces version 0\.0\.1, kept as\s+\S*\.previous/);

    await using host = await startHost({ env, command: { command: program, args: [] } });
    await host.initialize();
    const turn = host.stream({
      agent: { agent_id: "cx", workspace },
      request: { messages: [{ role: "user", content: "and now?" }] },
    });
    await turn.result;
    assert.equal(turn.text, "Before: I am the answer of before.");
    const [start] = turn.of("message_start");
    assert.deepEqual([start?.thread_id, start?.resumed], [threadId, true]);
    assert.equal(Deno.readTextFileSync(join(workspace, ".plexum-codex-session")), threadId);
  });
}
