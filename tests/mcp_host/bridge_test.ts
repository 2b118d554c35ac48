import { strict as assert } from "node:assert";
import { connectClient, openRig } from "./rig.ts";

Deno.test("bridge lists and calls tools through the relay", async () => {
  await using rig = await openRig();
  await using codex = await connectClient(rig.bridge.env);
  const { tools } = await codex.client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ["echo"]);
  const result = await codex.client.callTool({ name: "echo", arguments: { a: 1 } });
  assert.deepEqual(result.content, [{ type: "text", text: '{"a":1}' }]);
  assert.match(codex.client.getInstructions() ?? "", /"cx"/);
  assert.equal(rig.bridge.connections, 1);
  assert.equal(rig.bridge.refused, 0);
});

Deno.test("bridge removes its directory when it closes, and closes once", async () => {
  await using rig = await openRig();
  await rig.bridge.close();
  await rig.bridge.close();
  assert.deepEqual([...Deno.readDirSync(rig.runtimeDir)], []);
});
