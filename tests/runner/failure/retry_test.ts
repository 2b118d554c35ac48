import { strict as assert } from "node:assert";
import { Retries, retryTimes } from "../../../runner/failure/retry.ts";

const now = new Date(2026, 10, 22, 13, 0, 0);
/** The last second of a minute: codex tells no seconds, and too early is worse than too late. */
const local = (...at: [number, number, number, number, number]) =>
  new Date(...at, 59).toISOString();

Deno.test("retryTimes reads how long to wait", () => {
  const cases: [string, number][] = [
    ["Rate limit reached. Please try again in 0.2s.", 200],
    ["Please try again in 250ms.", 250],
    ["try again in 1m30s", 90_000],
    ["Please try again in 6h 0m 5s.", 21_605_000],
    ["try again in 2 days, 3 hours and more", 183_600_000],
    ["try again in 20 minutes.", 1_200_000],
    ["Please retry after 30 seconds.", 30_000],
  ];
  for (const [text, retry_after_ms] of cases) {
    assert.deepEqual(retryTimes(text, { now }), { retry_after_ms }, text);
  }
});

Deno.test("retryTimes reads when a limit resets, in local time", () => {
  const cases: [string, string][] = [
    ["or try again at May 18th, 2033 3:33 AM.", local(2033, 4, 18, 3, 33)],
    ["try again at Dec 1st, 2026 11:05 PM.", local(2026, 11, 1, 23, 5)],
    ["try again at 3:33 PM.", local(2026, 10, 22, 15, 33)],
    ["try again at 3:33 AM.", local(2026, 10, 23, 3, 33)],
  ];
  for (const [text, resets_at] of cases) {
    assert.deepEqual(retryTimes(text, { now }), { resets_at }, text);
  }
});

Deno.test("retryTimes reads a time of day by codex's clock, also across a change of it", () => {
  const cases: [timeZone: string, now: string, text: string, resets_at: string][] = [
    ["Asia/Tokyo", "2026-11-26T18:45:00Z", "Try again at 5:46 AM.", "2026-11-26T20:46:59Z"],
    [":Asia/Tokyo", "2026-11-26T21:00:00Z", "Try again at 5:46 AM.", "2026-11-27T20:46:59Z"],
    ["Pacific/Apia", "2026-11-26T18:45:00Z", "try again at 12:05 AM", "2026-11-27T11:05:59Z"],
    ["America/New_York", "2026-11-01T03:00:00Z", "try again at 8:00 AM", "2026-11-01T13:00:59Z"],
    ["UTC", "2026-11-26T18:45:59Z", "try again at 6:45 PM", "2026-11-26T18:45:59Z"],
    ["UTC", "2026-11-26T18:45:00Z", "try again at 12:30 PM", "2026-11-27T12:30:59Z"],
  ];
  for (const [timeZone, now, text, resets_at] of cases) {
    const times = retryTimes(text, { now: new Date(now), timeZone });
    assert.deepEqual(
      times,
      { resets_at: new Date(resets_at).toISOString() },
      `${timeZone} ${text}`,
    );
  }
});

Deno.test("retryTimes tells nothing rather than a wrong time where codex's time zone is unknown", () => {
  assert.deepEqual(retryTimes("try again at 5:46 AM", { timeZone: "Nowhere/Land" }), {});
});

Deno.test("retryTimes believes a recorded second within the minute that is told, and no other", () => {
  const second = Date.UTC(2026, 10, 26, 20, 46, 31) / 1000;
  const clock = { now: new Date("2026-11-26T18:45:00Z"), timeZone: "UTC" };
  const of = (limitsReset: number[]) =>
    retryTimes("try again at 8:46 PM", { ...clock, limitsReset }).resets_at;
  assert.equal(of([second - 600, second]), "2026-11-26T20:46:31.000Z");
  assert.equal(of([second - 600]), "2026-11-26T20:46:59.000Z");
});

Deno.test("Retries wait longer each time, but never as long that a timer would overflow", () => {
  const retries = new Retries(50);
  const crash = { kind: "crashed", message: "", retryable: true } as const;
  const pauses = Array.from({ length: 51 }, () => retries.pauseAfter(crash));
  assert.deepEqual(pauses.slice(0, 3), [200, 600, 1800]);
  assert.equal(Math.max(...pauses.map((pause) => pause ?? 0)), 60_000);
  assert.equal(pauses.at(-1), undefined);
  assert.equal(new Retries(5).pauseAfter({ ...crash, kind: "config" }), undefined);
});

Deno.test("retryTimes finds nothing where no time is named", () => {
  for (
    const text of ["try again later", "try again at some point", "in 3s", "try again in a while"]
  ) {
    assert.deepEqual(retryTimes(text, { now }), {}, text);
  }
});
