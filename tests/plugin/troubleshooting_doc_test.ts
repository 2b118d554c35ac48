/** docs/troubleshooting.md has every kind of error. */
import { strict as assert } from "node:assert";
import * as z from "zod/mini";
import { ErrorKind } from "../../plugin/protocol.ts";

Deno.test("troubleshooting document says of every kind of error what to do", () => {
  const text = Deno.readTextFileSync(new URL("../../docs/troubleshooting.md", import.meta.url));
  const table = text.slice(text.indexOf("## By kind of error"));
  const kinds = [...table.matchAll(/^\| `(\w+)` +\| .{15,} \|$/gm)].map(([, kind]) => kind);
  const { enum: all = [] } = z.toJSONSchema(ErrorKind);
  assert.deepEqual(kinds.toSorted(), all.map(String).toSorted());
});
