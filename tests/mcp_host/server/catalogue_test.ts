import { strict as assert } from "node:assert";
import fc from "fast-check";
import type { HostTool } from "../../../mcp_host/host_tool.ts";
import {
  buildCatalogue,
  fitName,
  mapToolNames,
  toolNameMax,
} from "../../../mcp_host/server/catalogue.ts";

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

Deno.test("catalogue adds the type that a host has left out", () => {
  const { listed, leftOut } = buildCatalogue([
    { name: "any", inputSchema: {} },
    { name: "one", inputSchema: { properties: { q: { type: "string" } } } },
  ], "plexum_host");
  assert.deepEqual(leftOut, []);
  assert.deepEqual(listed.map((tool) => tool.inputSchema), [{ type: "object" }, object]);
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

Deno.test("catalogue shows annotations of MCP's types only, since codex drops the whole list for another", () => {
  const hints = {
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  };
  const deep = JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`);
  const annotations: unknown[] = [
    { title: "T", ...hints },
    { title: 5, readOnlyHint: "yes", destructiveHint: 1, idempotentHint: null, openWorldHint: {} },
    { ours: deep, openWorldHint: true },
    ["readOnlyHint"],
  ];
  const tools = annotations.map((annotations, n) => ({ name: `t${n}`, annotations }));
  assert.deepEqual(
    buildCatalogue(tools as HostTool[], "plexum_host").listed.map((tool) => tool.annotations),
    [{ title: "T", ...hints }, undefined, { openWorldHint: true }, undefined],
  );
});

Deno.test("catalogue finds a tool by its codex name, and not once it was left out", () => {
  const catalogue = buildCatalogue([{ name: "a.b" }], "plexum_host");
  assert.equal(catalogue.find("a_b")?.hostName, "a.b");
  assert.equal(catalogue.find("a.b"), undefined);
  catalogue.leaveOut("a_b", "late");
  assert.equal(catalogue.find("a_b"), undefined);
  assert.deepEqual(catalogue.leftOut, [{ name: "a.b", reason: "late" }]);
});

const MAX = toolNameMax("plexum_host");

const hostName = fc.oneof(
  fc.string({ minLength: 1, unit: "binary" }),
  fc.stringMatching(/^[a-c._ -]{1,4}$/),
  fc.stringMatching(/^[A-Za-z0-9_]{40,120}$/),
);

Deno.test("tool names map one to one, to what codex leaves alone, and back", () => {
  fc.assert(fc.property(fc.uniqueArray(hostName, { maxLength: 60 }), (names) => {
    const { toCodex, toHost } = mapToolNames(names, MAX);
    assert.equal(toCodex.size, names.length);
    assert.equal(toHost.size, names.length);
    for (const name of names) {
      const codex = toCodex.get(name);
      assert.match(codex ?? "", new RegExp(`^[A-Za-z0-9_]{1,${MAX}}$`));
      assert.equal(toHost.get(codex ?? ""), name);
    }
  }));
});

Deno.test("tool names do not depend on the order of the tools", () => {
  fc.assert(fc.property(
    fc.uniqueArray(hostName, { maxLength: 30 }).chain((names) =>
      fc.tuple(fc.constant(names), fc.shuffledSubarray(names, { minLength: names.length }))
    ),
    ([names, shuffled]) => {
      const inOrder = mapToolNames(names, MAX).toCodex;
      const outOfOrder = mapToolNames(shuffled, MAX).toCodex;
      for (const name of names) assert.equal(outOfOrder.get(name), inOrder.get(name));
    },
  ));
});

Deno.test("a tool name that fits stays, whatever the others are", () => {
  const { toCodex } = mapToolNames(
    ["web.search", "web-search", "web_search", "search", "a b"],
    MAX,
  );
  assert.equal(toCodex.get("web_search"), "web_search");
  assert.equal(toCodex.get("search"), "search");
  assert.equal(toCodex.get("a b"), "a_b");
  assert.match(toCodex.get("web.search") ?? "", /^web_search_[0-9a-f]{8}$/);
  assert.match(toCodex.get("web-search") ?? "", /^web_search_[0-9a-f]{8}$/);
});

Deno.test("a tool name gives way to a host's name that equals its digest form", () => {
  const taken = mapToolNames(["a.b", "a-b"], MAX).toCodex.get("a.b") ?? "";
  const { toCodex, toHost } = mapToolNames(["a.b", "a-b", taken], MAX);
  assert.equal(toCodex.get(taken), taken);
  assert.notEqual(toCodex.get("a.b"), taken);
  assert.equal(toHost.size, 3);
});

Deno.test("a tool name of foreign characters only gets a digest", () => {
  assert.match(mapToolNames(["поиск"], MAX).toCodex.get("поиск") ?? "", /^_{5}_[0-9a-f]{8}$/);
});

Deno.test("fitName keeps different names different and fitting ones as they are", () => {
  assert.equal(fitName("cx-1", /[^A-Za-z0-9_-]/g, 40), "cx-1");
  assert.notEqual(fitName("a/b", /[^A-Za-z0-9_-]/g, 40), fitName("a b", /[^A-Za-z0-9_-]/g, 40));
  assert.equal(fitName("x".repeat(100), /[^a-z]/g, 40).length, 40);
});

Deno.test("tool names leave room for the namespace, which codex 0.135 counts", () => {
  assert.equal(toolNameMax("plexum_host"), 46);
  assert.equal(toolNameMax("plexum-host-cx"), 43);
});
