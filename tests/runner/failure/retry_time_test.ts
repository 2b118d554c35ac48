import { strict as assert } from "node:assert";
import { retryTimes } from "../../../runner/failure/retry_time.ts";

const now = new Date(2026, 10, 22, 13, 0, 0);
const local = (...at: [number, number, number, number, number]) => new Date(...at).toISOString();

Deno.test("retryTimes reads how long to wait", () => {
  const cases: [string, number][] = [
    ["Rate limit reached. Please try again in 0.2s.", 200],
    ["Please try again in 250ms.", 250],
    ["try again in 1m30s", 90_000],
    ["Please try again in 6h 0m 5s.", 21_605_000],
    ["try again in 2 days, 3 hours and more", 183_600_000],
    ["try again in 20 minutes.", 1_200_000],
  ];
  for (const [text, retryAfterMs] of cases) {
    assert.deepEqual(retryTimes(text, now), { retryAfterMs }, text);
  }
});

Deno.test("retryTimes reads when a limit resets, in local time", () => {
  const cases: [string, string][] = [
    ["or try again at May 18th, 2033 3:33 AM.", local(2033, 4, 18, 3, 33)],
    ["try again at Dec 1st, 2026 11:05 PM.", local(2026, 11, 1, 23, 5)],
    ["try again at 3:33 PM.", local(2026, 10, 22, 15, 33)],
    ["try again at 3:33 AM.", local(2026, 10, 23, 3, 33)],
  ];
  for (const [text, resetsAt] of cases) assert.deepEqual(retryTimes(text, now), { resetsAt }, text);
});

Deno.test("retryTimes finds nothing where no time is named", () => {
  for (
    const text of ["try again later", "try again at some point", "in 3s", "try again in a while"]
  ) {
    assert.deepEqual(retryTimes(text, now), {}, text);
  }
});
