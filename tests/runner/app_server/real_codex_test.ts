import { strict as assert } from "node:assert";
import { APP_SERVER_VERSIONS, Rig } from "./rig.ts";

for (const version of APP_SERVER_VERSIONS) {
  Deno.test(`app-server ${version}: a thread goes on in one process, and its pieces equal its text`, async () => {
    await using rig = await Rig.real(version, {
      steps: [{ text: "Hello world, this is streamed.", chunk: 5 }, { text: "again" }],
    });
    const first = await rig.good();
    assert.equal(first.text, "Hello world, this is streamed.");
    assert.equal(first.pieces, first.text);
    assert.ok(first.events.filter(({ type }) => type === "message_delta").length > 3);
    const [server] = rig.transport.snapshot().servers;
    const second = await rig.good({ threadId: first.threadId, prompt: "and then" });
    assert.equal(second.threadId, first.threadId);
    assert.equal(rig.transport.snapshot().servers[0]?.pid, server?.pid);
    assert.deepEqual(second.events.map(({ type }) => type).filter((type) => type !== "alive"), [
      "thread_started", "turn_started", "message_delta", "message", "context", "turn_completed",
    ]);
    const asked = JSON.stringify(rig.sandbox.model.asked[1]?.input);
    assert.ok(asked.includes("this is streamed") && asked.includes("and then"), asked);
  });
}
