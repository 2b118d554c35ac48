/**
 * Whether something got worse since it was last recorded, beyond what measuring varies by itself.
 */
import { type Figure, short } from "./figure.ts";

/** Changes of the median smaller than this are never worth a word. */
const IGNORED = 0.03;

/** A warning for every figure that got worse by more than its noise. */
export function regressions(last: readonly Figure[], now: readonly Figure[]): string[] {
  return now.flatMap((one) => {
    const before = last.find((other) => isSame(one, other));
    if (before === undefined || !isWorse(before, one)) return [];
    const [was, is] = [before, one].map((f) =>
      `${short(f.median)} (${short(f.q1)}–${short(f.q3)})`
    );
    return [`${one.question}, ${one.name}: was ${was} ${one.unit}, is ${is} ${one.unit}`];
  });
}

/** Whether both measure the same. */
export function isSame(a: Figure, b: Figure): boolean {
  return a.question === b.question && a.name === b.name;
}

/** Worse is worse when not even the middle halves of the two measurements touch. */
function isWorse(before: Figure, now: Figure): boolean {
  const change = (now.median - before.median) / Math.abs(before.median);
  return now.better === "lower"
    ? change > IGNORED && now.q1 > before.q3
    : change < -IGNORED && now.q3 < before.q1;
}
