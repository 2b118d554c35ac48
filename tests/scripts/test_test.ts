import { strict as assert } from "node:assert";
import { outcome, sum, summary } from "../../scripts/test.ts";

const ended = (code: number, signal: Deno.Signal | null = null): Deno.CommandStatus => {
  return { success: code === 0, code, signal };
};

Deno.test("test task reads Deno's summary lines", () => {
  assert.deepEqual(summary("ok | 2 passed | 0 failed (17ms)"), { passed: 2, failed: 0 });
  const steps = "FAILED | 3 passed (1 step) | 1 failed | 1 ignored (1 step) (381ms)";
  assert.deepEqual(summary(steps), { passed: 3, failed: 1 });
  const coloured = "\x1b[0m\x1b[32mok\x1b[0m | 12 passed (3 steps) | 0 failed \x1b[90m(1s)\x1b[0m";
  assert.deepEqual(summary(coloured), { passed: 12, failed: 0 });
  assert.equal(summary("some test ... ok (3ms)"), undefined);
});

Deno.test("test task fails when nothing ran, and adds up what did", () => {
  const nothing = { passed: 0, failed: 0 };
  assert.deepEqual(sum([nothing, nothing]), { passed: 0, failed: 1, trouble: "no test ran" });
  assert.deepEqual(sum([{ passed: 3, failed: 0 }, nothing]), { passed: 3, failed: 0 });
  const died = outcome(undefined, ended(1));
  const { passed, failed, trouble } = sum([died, { passed: 3, failed: 1 }]);
  assert.deepEqual([passed, failed, trouble], [3, 2, died.trouble]);
});

Deno.test("test task fails when deno died, whatever it had said before", () => {
  const killed = outcome({ passed: 5, failed: 0 }, ended(137, "SIGKILL"));
  assert.deepEqual([killed.passed, killed.failed], [5, 1]);
  assert.match(killed.trouble ?? "", /SIGKILL/);
  assert.match(outcome(undefined, ended(1)).trouble ?? "", /without a summary, exit code 1/);
  assert.equal(outcome({ passed: 5, failed: 0 }, ended(1)).failed, 1);
});

Deno.test("test task passes on counts that go with deno's end", () => {
  assert.deepEqual(outcome({ passed: 5, failed: 0 }, ended(0)), { passed: 5, failed: 0 });
  assert.deepEqual(outcome({ passed: 4, failed: 2 }, ended(1)), { passed: 4, failed: 2 });
});
