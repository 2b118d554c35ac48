import { strict as assert } from "node:assert";
import { buildCatalogue } from "../../../mcp_host/server/catalogue.ts";
import type { HostTool } from "../../../mcp_host/host_tool.ts";

const object = { type: "object", properties: { q: { type: "string" } } };

Deno.test("catalogue keeps the host's order and passes schemas through untouched", () => {
  const schema = { ...object, $schema: "https://json-schema.org/draft/2020-12/schema", "x-y": [1] };
  const { listed } = buildCatalogue([
    { name: "b.c", description: "B", inputSchema: schema },
    { name: "a", annotations: { readOnlyHint: true } },
  ], "plexum_host");
  assert.deepEqual(listed, [
    { name: "b_c", title: "b.c", description: "B", inputSchema: schema },
    { name: "a", inputSchema: { type: "object" }, annotations: { readOnlyHint: true } },
  ]);
});

Deno.test("catalogue leaves out what cannot be shown, says why, and keeps the rest", () => {
  const heard: string[] = [];
  const tools: unknown[] = [
    { name: "good", inputSchema: object },
    { name: "good", inputSchema: object },
    { name: "" },
    null,
    { name: "list", inputSchema: [] },
    { name: "text", inputSchema: { type: "string" } },
    { name: "two types", inputSchema: { type: ["object"] } },
    { name: "also good", inputSchema: object },
  ];
  const { listed, leftOut } = buildCatalogue(tools as HostTool[], "plexum_host", (out) => {
    heard.push(out.name);
  });
  assert.deepEqual(listed.map((tool) => tool.name), ["good", "also_good"]);
  assert.deepEqual(heard, leftOut.map((out) => out.name));
  assert.deepEqual(leftOut.map((out) => out.reason), [
    "another tool has the same name",
    "it has no name",
    "it has no name",
    "its inputSchema is not a JSON object",
    'its inputSchema has type "string", it must be "object"',
    'its inputSchema has type ["object"], it must be "object"',
  ]);
});

Deno.test("catalogue finds a tool by its codex name, and not once it was left out", () => {
  const catalogue = buildCatalogue([{ name: "a.b" }], "plexum_host");
  assert.equal(catalogue.find("a_b")?.hostName, "a.b");
  assert.equal(catalogue.find("a.b"), undefined);
  catalogue.leaveOut("a_b", "late");
  assert.equal(catalogue.find("a_b"), undefined);
  assert.deepEqual(catalogue.leftOut, [{ name: "a.b", reason: "late" }]);
});
