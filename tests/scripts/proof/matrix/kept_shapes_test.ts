/** The kept shapes of codex versions against what reads such lines: nothing seen may be unknown. */
import { strict as assert } from "node:assert";
import { KNOWN_LIMITS, knownLimit } from "../../../../scripts/proof/matrix/known_limits.ts";
import { COMPATIBILITY, withPart } from "../../../../scripts/proof/matrix/document.ts";
import { SCENARIOS } from "../../../../scripts/proof/matrix/scenarios.ts";
import { keptVersions, readShape } from "../../../../scripts/proof/matrix/version_shape.ts";
import { VERSIONS } from "../../../../scripts/proof/matrix/versions.ts";
import { decodeExecLine } from "../../../../runner/exec/wire.ts";
import { decodeRecord } from "../../../../rollout/records/records.ts";
import { NEWEST_CODEX, OLDEST_CODEX } from "../../../support/codex.ts";

Deno.test("every version of the matrix has a kept shape, and the suite's ends are in it", () => {
  assert.deepEqual(keptVersions(), VERSIONS.filter((version) => version !== "latest"));
  assert.ok(VERSIONS.includes(OLDEST_CODEX) && VERSIONS.includes(NEWEST_CODEX));
});

Deno.test("every event that a kept version printed is known to the decoder", () => {
  for (const version of keptVersions()) {
    for (const name of Object.keys(readShape(version)?.stdout ?? {})) {
      const [type, item] = name.split("/");
      const line = { type, thread_id: "t", message: "m", item: item && { id: "i", type: item } };
      const event = decodeExecLine(new TextEncoder().encode(JSON.stringify(line)));
      assert.ok(
        event && event.type !== "unknown" && event.type !== "broken",
        `${version}: ${name}`,
      );
    }
  }
});

/** Records that say nothing a host or a consume needs; a new one must be put here on purpose. */
const PASSED_BY = [
  ...["world_state", "token_usage_record"],
  ...["event_msg/task_started", "event_msg/thread_settings_applied", "event_msg/context_compacted"],
  // What the user said, and what is told in better words by another record.
  ...["event_msg/user_message", "event_msg/agent_reasoning", "event_msg/web_search_end"],
  ...["response_item/message", "response_item/web_search_call", "response_item/additional_tools"],
];

Deno.test("every record that a kept version wrote is known to the rollout's reader, or passed by", () => {
  for (const version of keptVersions()) {
    const names = Object.keys(readShape(version)?.rollout ?? {});
    for (const name of names.filter((name) => name !== "(every line)")) {
      const [type, inner, item] = name.split("/");
      const line = {
        type,
        payload: {
          ...{ type: inner, id: "t", call_id: "c", message: "m", summary: [{ text: "s" }] },
          ...{ info: {}, output: "o", item: { type: item, id: "c", content: [] } },
        },
      };
      const { kind } = decodeRecord(new TextEncoder().encode(JSON.stringify(line)));
      assert.notEqual(kind, "broken", `${version}: ${name}`);
      const known = kind === "other" ? PASSED_BY.includes(name) : !PASSED_BY.includes(name);
      assert.ok(known, `${version}: ${name} is ${kind}`);
    }
  }
});

Deno.test("every known limit belongs to a scenario and holds between its versions only", () => {
  for (const { scenario, id } of KNOWN_LIMITS) {
    assert.ok(SCENARIOS.some(({ name }) => name === scenario), `${id} is of no scenario`);
  }
  assert.equal(knownLimit("host-tool", "0.140.0"), undefined);
  assert.equal(knownLimit("host-tool", "0.141.0")?.id, "deferred");
  assert.equal(knownLimit("host-tool", "0.148.0"), undefined);
});

Deno.test("the compatibility page has a row for every scenario and a line for every limit", () => {
  const page = Deno.readTextFileSync(COMPATIBILITY);
  for (const { name } of SCENARIOS) assert.match(page, new RegExp(`^\\| ${name} `, "m"));
  for (const { id } of KNOWN_LIMITS) assert.ok(page.includes(`**${id}**`), id);
  for (const version of keptVersions()) assert.ok(page.includes(version), version);
});

Deno.test("a part of a page is replaced between its marks only", () => {
  const page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n";
  const expected = "a\n<!-- x: begin -->\n\nnew\n\n<!-- x: end -->\nb\n";
  assert.equal(withPart(page, "x", "new"), expected);
  assert.throws(() => withPart("none", "x", "new"), /no <!-- x: begin -->/);
});
