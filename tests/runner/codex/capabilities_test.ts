import { strict as assert } from "node:assert";
import {
  capabilitiesOf,
  compareVersions,
  NEWEST_TESTED,
} from "../../../runner/codex/capabilities.ts";

Deno.test("capabilitiesOf follows the versions as they were bisected", () => {
  const table: [string, Partial<ReturnType<typeof capabilitiesOf>>][] = [
    ["codex-cli 0.134.0", { supported: false }],
    ["codex-cli 0.135.0\n", {
      version: "0.135.0",
      supported: true,
      untested: false,
      writerLock: false,
      callId: false,
      omitToolsFrom: false,
      toolsDeferredFrom: 100,
      emptyResultFails: true,
      shellSnapshots: true,
    }],
    ["codex-cli 0.152.1", { shellSnapshots: true }],
    ["codex-cli 0.158.0", { shellSnapshots: false }],
    ["codex-cli 0.136.0", { toolsDeferredFrom: 100, emptyResultFails: false }],
    ["codex-cli 0.142.0", { toolsDeferredFrom: 100 }],
    ["codex-cli 0.142.5", { toolsDeferredFrom: 1, omitToolsFrom: false }],
    ["codex-cli 0.146.1", { toolsDeferredFrom: 1, writerLock: false, callId: false }],
    ["codex-cli 0.147.0", { toolsDeferredFrom: undefined, omitToolsFrom: true, callId: false }],
    ["codex-cli 0.148.0", {
      toolsDeferredFrom: undefined,
      omitToolsFrom: true,
      writerLock: true,
      callId: true,
    }],
    [`codex-cli ${NEWEST_TESTED}`, { supported: true, untested: false }],
    ["codex-cli 0.999.0-alpha.3", { version: "0.999.0-alpha.3", untested: true, callId: true }],
    ["codex-cli 1.0.0", { supported: true, untested: true, writerLock: true }],
  ];
  for (const [said, expected] of table) {
    const found = capabilitiesOf(said);
    for (const [name, value] of Object.entries(expected ?? {})) {
      assert.deepEqual([name, Object(found)[name]], [name, value], said);
    }
  }
});

Deno.test("capabilitiesOf does not take anything for a version", () => {
  for (
    const said of [
      "",
      "codex",
      "bash: codex: command not found",
      "v12",
      "GNU bash, version 5.2.37(1)",
    ]
  ) {
    assert.equal(capabilitiesOf(said), undefined, said);
  }
});

Deno.test("compareVersions compares numbers, not letters", () => {
  assert.ok(compareVersions("0.99.0", "0.135.0") < 0);
  assert.ok(compareVersions("0.135.10", "0.135.9") > 0);
  assert.equal(compareVersions("0.135.0-beta", "0.135.0"), 0);
});
