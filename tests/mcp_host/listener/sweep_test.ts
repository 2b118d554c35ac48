import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { PeerProof } from "../../../mcp_host/listener/peer_proof.ts";
import { SETTLED_MS, sweepStaleSockets } from "../../../mcp_host/listener/socket_dir.ts";
import { openRig, tempDir } from "../rig.ts";

const later = () => Date.now() + SETTLED_MS + 1000;

/** A socket as a killed plugin leaves it: the file is there, nobody listens. */
async function leaveSocket(path: string): Promise<void> {
  const program = `Deno.listen({transport:"unix",path:${JSON.stringify(path)}});` +
    `Deno.kill(Deno.pid,"SIGKILL")`;
  await new Deno.Command(Deno.execPath(), { args: ["eval", program] }).output();
  assert.ok(Deno.lstatSync(path).isSocket);
}

Deno.test("sweep removes what a dead plugin left and nothing else", async () => {
  using parent = tempDir();
  const [stale, empty, foreign, open, full] = [
    "plexum-0123456789abcdef",
    "plexum-0123456789abcde0",
    "plexum-x",
    "plexum-0123456789abcde1",
    "plexum-0123456789abcde2",
  ].map((name) => join(parent.path, name)) as [string, string, string, string, string];
  for (const each of [stale, empty, foreign, full]) Deno.mkdirSync(each, { mode: 0o700 });
  Deno.mkdirSync(open, { mode: 0o755 });
  await leaveSocket(join(stale, "s"));
  // The plugin was killed while it looked who a relay is.
  new PeerProof(join(stale, "s"));
  Deno.writeTextFileSync(join(full, "other"), "");
  assert.equal(await sweepStaleSockets(parent.path, Date.now()), 0, "they are too young");
  assert.equal(await sweepStaleSockets(parent.path, later()), 2);
  const left = Array.from(Deno.readDirSync(parent.path), (entry) => entry.name).sort();
  assert.deepEqual(left, ["plexum-0123456789abcde1", "plexum-0123456789abcde2", "plexum-x"]);
});

Deno.test("sweep leaves a living bridge alone and does not count as a stranger", async () => {
  await using rig = await openRig();
  assert.equal(await sweepStaleSockets(rig.runtimeDir, later()), 0);
  assert.ok(Deno.lstatSync(rig.env.PLEXUM_MCP_SOCKET ?? "").isSocket);
  assert.equal(rig.bridge.refused, 0);
});

Deno.test("sweep of a directory that is not there is nothing", async () => {
  assert.equal(await sweepStaleSockets("/nonexistent"), 0);
});
