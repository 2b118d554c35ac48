import { strict as assert } from "node:assert";
import { fromFileUrl } from "@std/path";
import { PERMISSIONS } from "../support/permissions.ts";
import { ProcessTransport } from "./process_transport.ts";
import { openRig } from "./rig.ts";

Deno.test("relay has no permission left once it carries", async () => {
  await using rig = await openRig();
  const program = fromFileUrl(new URL("./relay_permissions_main.ts", import.meta.url));
  const command = [Deno.execPath(), "run", "--no-check", ...PERMISSIONS, program];
  await using transport = new ProcessTransport(command, rig.env);
  const first = Promise.withResolvers<void>();
  transport.onmessage = () => first.resolve();
  await transport.send({ jsonrpc: "2.0", id: 1, method: "ping" });
  await first.promise;
  await transport.close();
  assert.deepEqual(JSON.parse(transport.stderr), {
    run: "prompt",
    read: "prompt",
    write: "prompt",
    net: "prompt",
    env: "prompt",
    ffi: "prompt",
    sys: "prompt",
  });
});
