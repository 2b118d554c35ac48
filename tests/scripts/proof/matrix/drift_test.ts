import { strict as assert } from "node:assert";
import { describe, differences } from "../../../../scripts/proof/matrix/drift.ts";
import { flagsIn } from "../../../../scripts/proof/matrix/help.ts";
import { ShapeCollector } from "../../../../scripts/proof/matrix/shape.ts";
import { differenceList } from "../../../../scripts/proof/matrix/table.ts";
import type { VersionShape } from "../../../../scripts/proof/matrix/version_shape.ts";

function shapeOf(version: string, stdout: unknown[], rollout: unknown[], help: string) {
  const [events, records] = [new ShapeCollector(), new ShapeCollector()];
  for (const line of stdout) events.stdout(line);
  for (const line of rollout) records.rollout(line);
  const flags = { exec: flagsIn(help) };
  const shape: VersionShape = {
    version,
    stdout: events.shapes(),
    rollout: records.shapes(),
    flags,
  };
  return shape;
}

const OLD = shapeOf(
  "1.0.0",
  [{ type: "turn.completed", usage: { input_tokens: 1 } }, { type: "item.updated", item: 5 }],
  [{ timestamp: "t", type: "event_msg", payload: { type: "token_count", info: null } }],
  "Options:\n  -m, --model <MODEL>\n          Model\n\n      --full-auto\n          Old",
);
const NEW = shapeOf(
  "2.0.0",
  [{ type: "turn.completed", usage: { input_tokens: 1, cost: { usd: 2 } } }],
  [
    { timestamp: "t", ordinal: 0, type: "event_msg", payload: { type: "token_count", info: {} } },
    { timestamp: "t", ordinal: 1, type: "event_msg", payload: { type: "dreamt" } },
  ],
  "Options:\n  -m, --model <MODEL>\n          Model\n\n      --color <COLOR>\n" +
    "          Colour\n\n          [possible values: always, never]",
);

Deno.test("differences name every event, record, field and flag that came, went or changed", () => {
  assert.deepEqual(differences(OLD, NEW).map(describe), [
    "- event item.updated",
    "+ event field turn.completed: usage.cost (object)",
    "+ record field (every line): ordinal (number)",
    "+ record event_msg/dreamt",
    "~ record field event_msg/token_count: info (null → object)",
    "+ flag codex exec --color <COLOR> [always, never]",
    "- flag codex exec --full-auto",
  ]);
  assert.deepEqual(differences(NEW, NEW), []);
});

Deno.test("differences are listed by the line they belong to", () => {
  assert.equal(
    differenceList(differences(OLD, NEW)),
    [
      "- gone events: `item.updated`",
      "- event `turn.completed`: + `usage.cost`",
      "- record `(every line)`: + `ordinal`",
      "- new records: `event_msg/dreamt`",
      "- record `event_msg/token_count`: ~ `info` (null → object)",
      "- new flags of `codex exec`: `--color <COLOR> [always, never]`",
      "- gone flags of `codex exec`: `--full-auto`",
    ].join("\n"),
  );
});

Deno.test("shapes tell items apart and look into no model's or tool's data", () => {
  const collector = new ShapeCollector();
  const item = { type: "mcp_tool_call", arguments: { secret: 1 }, result: { content: [] } };
  collector.stdout({ type: "item.completed", item });
  collector.stdout({
    type: "item.completed",
    item: { type: "file_change", changes: [{ path: "/a", kind: "add" }] },
  });
  collector.stdout({ type: "note", byPath: { "/home/x": true } });
  collector.stdout("text");
  assert.deepEqual(collector.shapes(), {
    "(no object)": {},
    "item.completed/file_change": {
      "item": "object",
      "item.changes": "array",
      "item.changes[].kind": "string",
      "item.changes[].path": "string",
      "item.type": "string",
      "type": "string",
    },
    "item.completed/mcp_tool_call": {
      "item": "object",
      "item.arguments": "object",
      "item.result": "object",
      "item.type": "string",
      "type": "string",
    },
    "note": { "byPath": "object", "byPath.*": "boolean", "type": "string" },
  });
});
