import { strict as assert } from "node:assert";
import { KeptBridges } from "../../runner/host_tools.ts";
import { newTestFolder } from "../support/cache.ts";

Deno.test("bridges that are just being opened or closed leave nothing when all are closed", async () => {
  const runtimeDir = newTestFolder();
  try {
    const bridges = new KeptBridges();
    const take = (agentId: string) =>
      bridges.take({ agentId, workspace: "/w" }, {
        agentId,
        tools: [{ name: "echo", description: "echoes", inputSchema: { type: "object" } }],
        executable: ["/nowhere/plugin"],
        runtimeDir,
        toolTimeoutMs: 1000,
        resultMaxBytes: 1024,
      }, { omitToolsFrom: true });
    await take("dropped");
    assert.equal([...Deno.readDirSync(runtimeDir)].length, 1);
    bridges.giveBack({ agentId: "dropped", workspace: "/w" });
    const dropping = bridges.drop({ agentId: "dropped", workspace: "/w" });
    const opening = take("opening");
    await bridges.close();
    assert.deepEqual([...Deno.readDirSync(runtimeDir)], []);
    await Promise.all([dropping, opening]);
    await bridges.close();
    assert.deepEqual([...Deno.readDirSync(runtimeDir)], []);
  } finally {
    Deno.removeSync(runtimeDir, { recursive: true });
  }
});
