/**
 * Trying again: when codex's own words say so, and by ourselves, where nothing was told yet and
 * nobody has to mend anything first.
 *
 * Seen: "Please try again in 0.2s." (rate limit), "try again at May 18th, 2033 3:33 AM." (usage limit;
 * codex's local time, and only "3:33 AM" when that is within the day). codex tells minutes and leaves
 * the seconds out; where it recorded the second at which a limit resets, that counts.
 *
 * @module
 */
import type { Failure } from "../turn_event.ts";

/** First pause before codex is started again; each further one is three times as long. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 60_000;

/** Counts the starts of one turn. */
export class Retries {
  #left: number;
  #pauseMs = FIRST_PAUSE_MS;

  /** @param allowed Further starts after the first; 0 for none. */
  constructor(allowed: number) {
    this.#left = allowed;
  }

  /** How long to wait before the next start, or `undefined` when there is to be none. */
  pauseAfter({ kind }: Failure): number | undefined {
    const passing = kind === "session_busy" || kind === "crashed" || kind === "mcp_unavailable";
    if (!passing || this.#left === 0) return undefined;
    this.#left--;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 3, LONGEST_PAUSE_MS);
    return pauseMs;
  }
}

/** Either field, or none where the text names no time. */
export interface RetryTimes {
  retry_after_ms?: number;
  /** ISO 8601; not before the limit resets, and at most 59 s after. */
  resets_at?: string;
}

/** What completes the words. */
export interface Clock {
  now?: Date | undefined;
  /** When limits reset, in seconds since 1970. */
  limitsReset?: readonly number[] | undefined;
  /** codex's `TZ`; without one its time zone is this process's own. */
  timeZone?: string | undefined;
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
  /(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)? ?(?:ms|[smh]|(?:second|minute|hour|day)s?)(?![a-z])[ ,]*)+)/i;
const AT =
  /try again at (?:([A-Z][a-z]{2})[a-z]* (\d{1,2})(?:st|nd|rd|th)?, (\d{4}) )?(\d{1,2}):(\d{2}) ?([AP]M)?/i;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const MINUTE = 60_000;
const DAY = 86_400_000;

/** Reads the time to try again out of a message. */
export function retryTimes(text: string, clock: Clock = {}): RetryTimes {
  const after = AFTER.exec(text)?.[1];
  if (after !== undefined) return { retry_after_ms: milliseconds(after) };
  const minute = minuteIn(text, clock);
  if (minute === undefined) return {};
  const exact = clock.limitsReset?.map((seconds) => seconds * 1000)
    .find((time) => time >= minute && time < minute + MINUTE);
  return { resets_at: new Date(exact ?? minute + MINUTE - 1000).toISOString() };
}

function milliseconds(text: string): number {
  const parts = text.matchAll(/(\d+(?:\.\d+)?) ?(ms|s|m|h|second|minute|hour|day)/gi);
  let sum = 0;
  for (const [, count, unit] of parts) {
    sum += Number(count) * (UNITS[String(unit).toLowerCase()] ?? 0);
  }
  return Math.ceil(sum);
}

/** The minute that the words name; a time of day is the next one of that kind. */
function minuteIn(text: string, { now = new Date(), timeZone }: Clock): number | undefined {
  const zone = zoneOf(timeZone);
  const match = AT.exec(text);
  if (match === null || zone === undefined) return undefined;
  const [, month, day, year, hours, minutes, half] = match;
  const hour = half === undefined
    ? Number(hours)
    : Number(hours) % 12 + (half.toUpperCase() === "PM" ? 12 : 0);
  const ofDay = (hour * 60 + Number(minutes)) * MINUTE;
  if (month !== undefined) {
    const wall = Date.UTC(Number(year), MONTHS.indexOf(month.toLowerCase()), Number(day)) + ofDay;
    return instant(wall, zone);
  }
  const today = Math.floor((now.getTime() + offsetAt(now.getTime(), zone)) / DAY) * DAY;
  const time = instant(today + ofDay, zone);
  return time + MINUTE > now.getTime() ? time : instant(today + DAY + ofDay, zone);
}

/** A formatter for codex's time zone; none for a `TZ` that is not the name of one. */
function zoneOf(timeZone: string | undefined): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", {
      ...(timeZone ? { timeZone: timeZone.replace(/^:/, "") } : {}),
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
}

/** The instant at which the clocks of a zone show `wall`, which is written as if it were UTC. */
function instant(wall: number, zone: Intl.DateTimeFormat): number {
  const near = wall - offsetAt(wall, zone);
  return wall - offsetAt(near, zone);
}

/** How far the clocks of a zone are ahead of UTC. */
function offsetAt(time: number, zone: Intl.DateTimeFormat): number {
  const part: Record<string, number> = {};
  for (const { type, value } of zone.formatToParts(time)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1000) * 1000;
}
