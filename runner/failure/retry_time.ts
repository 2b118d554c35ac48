/**
 * When to try again, out of codex's own words.
 *
 * Seen: "Please try again in 0.2s." (rate limit), "try again at May 18th, 2033 3:33 AM." (usage limit;
 * local time, and only "3:33 AM" when that is within the day).
 *
 * @module
 */

/** Either field, or none where the text names no time. */
export interface RetryTimes {
  retryAfterMs?: number;
  /** ISO 8601. */
  resetsAt?: string;
}

const UNITS: Record<string, number> = {
  ms: 1,
  s: 1000,
  second: 1000,
  m: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  day: 86_400_000,
};

const AFTER =
  /try again in ((?:\d+(?:\.\d+)? ?(?:ms|[smh]|(?:second|minute|hour|day)s?)(?![a-z])[ ,]*)+)/i;
const AT = /try again at (.*?\d{1,2}:\d{2}(?: ?[AP]M)?|.+?\d{4})/i;

/** Reads the time to try again out of a message; `now` completes a time without a date. */
export function retryTimes(text: string, now: Date = new Date()): RetryTimes {
  const after = AFTER.exec(text)?.[1];
  if (after !== undefined) return { retryAfterMs: milliseconds(after) };
  const at = AT.exec(text)?.[1];
  if (at === undefined) return {};
  const time = /\d{4}/.test(at) ? parse(at) : nextAt(at, now);
  return time === undefined ? {} : { resetsAt: time.toISOString() };
}

function milliseconds(text: string): number {
  const parts = text.matchAll(/(\d+(?:\.\d+)?) ?(ms|s|m|h|second|minute|hour|day)/gi);
  let sum = 0;
  for (const [, count, unit] of parts) {
    sum += Number(count) * (UNITS[String(unit).toLowerCase()] ?? 0);
  }
  return Math.ceil(sum);
}

/** A time of day: the next one of that kind. */
function nextAt(timeOfDay: string, now: Date): Date | undefined {
  const time = parse(`${now.toDateString()} ${timeOfDay}`);
  if (time !== undefined && time < now) time.setDate(time.getDate() + 1);
  return time;
}

/** Local time, as codex writes it. */
function parse(text: string): Date | undefined {
  const time = new Date(text.replace(/(\d)(?:st|nd|rd|th)\b/, "$1"));
  return Number.isNaN(time.getTime()) ? undefined : time;
}
