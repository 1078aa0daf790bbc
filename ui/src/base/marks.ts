/** Where a ruler puts its marks. */
import { type Duration, duration, NS_PER_DAY, NS_PER_H, NS_PER_MIN, NS_PER_S, type Offset, offset, type Window } from "./time.ts";

/** Steps beyond a second follow the clock, not the decimal system. */
const CLOCK_STEPS = [
  ...[2, 5, 10, 15, 30].map((s) => s * NS_PER_S),
  ...[1, 2, 5, 10, 15, 30].map((m) => m * NS_PER_MIN),
  ...[1, 2, 3, 6, 12].map((h) => h * NS_PER_H),
  NS_PER_DAY,
];

/** The smallest step people count in (1, 2, 5 and their tens; seconds and minutes as a clock's) that is not below `ns`. */
export function niceStep(ns: number): Duration {
  if (!(ns > 1)) return duration(1);
  if (ns <= NS_PER_S) {
    const magnitude = 10 ** Math.floor(Math.log10(ns));
    const factor = [1, 2, 5, 10].find((f) => f * magnitude >= ns) ?? 10;
    return duration(factor * magnitude);
  }
  const clock = CLOCK_STEPS.find((step) => step >= ns);
  return duration(clock ?? Math.ceil(ns / NS_PER_DAY) * NS_PER_DAY);
}

export interface Marks {
  readonly at: readonly Offset[];
  readonly step: Duration;
}

/** The marks within `window`, about `count` of them and never more than one over, at whole multiples of a nice step. */
export function marksIn(window: Window, count: number): Marks {
  const step = niceStep((window.to - window.from) / Math.max(1, count));
  const at: Offset[] = [];
  for (let i = Math.ceil(window.from / step); i * step <= window.to; i++) at.push(offset(i * step));
  return { at, step };
}

/** Multiples of a power of ten at which a scale can end, and its half be read. */
const CEILINGS = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];

/** The smallest of them that is not below `x`; 1 for nothing. */
export function niceCeil(x: number): number {
  if (!(x > 0) || !Number.isFinite(x)) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(x));
  return (CEILINGS.find((factor) => factor * magnitude >= x) ?? 10) * magnitude;
}
