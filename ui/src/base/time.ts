/**
 * Time: absolute nanoseconds as `bigint`, offsets within a trace as numbers.
 *
 * A double holds 2^53 ns (104 days) exactly: enough for an offset, not for Unix time. So absolute time is a branded
 * `bigint` (text at the edge), and everything drawn is a branded offset from the start of its trace.
 */
import type { Branded } from "./brand.ts";

/** Nanoseconds since 1970-01-01 UTC. */
export type UnixNanos = Branded<bigint, "UnixNanos">;
/** Nanoseconds since the start of the trace; exact to 104 days, then to microseconds. */
export type Offset = Branded<number, "Offset">;
/** A length of time in nanoseconds. Negative only where a sender said that a span ended before it started. */
export type Duration = Branded<number, "Duration">;

export const NS_PER_US = 1e3;
export const NS_PER_MS = 1e6;
export const NS_PER_S = 1e9;
export const NS_PER_MIN = 60 * NS_PER_S;
export const NS_PER_H = 60 * NS_PER_MIN;
export const NS_PER_DAY = 24 * NS_PER_H;

export const unixNanos = (ns: bigint): UnixNanos => ns as UnixNanos;
export const offset = (ns: number): Offset => ns as Offset;
export const duration = (ns: number): Duration => ns as Duration;

export const unixNanosOfMillis = (ms: number): UnixNanos => unixNanos(BigInt(Math.round(ms)) * 1_000_000n);
export const millisOf = (t: UnixNanos): number => Number(t / 1_000_000n);
export const offsetFrom = (start: UnixNanos, t: UnixNanos): Offset => offset(Number(t - start));
export const instantAt = (start: UnixNanos, o: Offset): UnixNanos => unixNanos(start + BigInt(Math.round(o)));

/** A half-open window of a trace, in offsets; `to` is after `from`. */
export interface Window {
  readonly from: Offset;
  readonly to: Offset;
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: NS_PER_US,
  "µs": NS_PER_US, // U+00B5, as on keyboards
  "μs": NS_PER_US, // U+03BC, as Go prints it
  ms: NS_PER_MS,
  s: NS_PER_S,
  m: NS_PER_MIN,
  h: NS_PER_H,
  d: NS_PER_DAY,
};

/**
 * Reads what people write for a duration: `1.5s`, `200ms`, `1m30s`, `2 h`. A number without unit is milliseconds.
 * Returns null for anything else.
 */
export function parseDuration(text: string): Duration | null {
  const words = text.trim().toLowerCase();
  // Whole nanoseconds: 1.07 s is not exact in doubles.
  if (/^\d+(\.\d+)?$/.test(words)) return duration(Math.round(Number(words) * NS_PER_MS));
  if (!/^(\d+(\.\d+)?\s*(ns|us|µs|μs|ms|s|m|h|d)\s*)+$/.test(words)) return null;
  let total = 0;
  for (const [, count, unit] of words.matchAll(/(\d+(?:\.\d+)?)\s*(ns|us|µs|μs|ms|s|m|h|d)/g)) {
    total += Number(count) * (UNITS[unit ?? ""] ?? Number.NaN);
  }
  return Number.isFinite(total) ? duration(Math.round(total)) : null;
}
