import { strict as assert } from "node:assert";
import { overlongRecord } from "../../../rollout/records/records.ts";

const head = (callId: string): Uint8Array =>
  new TextEncoder().encode(
    '{"timestamp":"2026-11-22T12:26:37.004Z","ordinal":7,"type":"response_item",' +
      `"payload":{"type":"function_call_output","call_id":${callId},"output":"xxx`,
  );

Deno.test("overlongRecord() names the call whose output is too long", () => {
  const record = overlongRecord(head('"call_1"'), 100_000_000);
  assert.ok(record.kind === "output");
  assert.equal(record.id, "call_1");
  assert.match(String(record.output), /100000000 bytes/);
});

Deno.test("overlongRecord() passes over a call id that is no JSON text", () => {
  for (const callId of ['"a\\q"', '"a\u0001"']) {
    assert.deepEqual(overlongRecord(head(callId), 1), { kind: "other", type: "overlong" });
  }
});
