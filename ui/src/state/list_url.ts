/**
 * The address of a list: the whole filter, in words a person can read and change.
 *
 *     /?service=checkout&operation=POST+/orders&min=1.5s&error=true&range=6h&order=slowest
 *     /?start=2026-11-21T08:00:00.000Z&end=2026-11-21T09:00:00.000Z
 *
 * What is missing or cannot be read is at its default, so every address shows something.
 */
import { durationForQuery } from "../base/format.ts";
import { millisOf, NS_PER_MS, parseDuration, type UnixNanos, unixNanos, unixNanosOfMillis } from "../base/time.ts";
import type { TimeRange, TraceFilter } from "../model/summary.ts";

export const RANGES: readonly { readonly name: string; readonly words: string; readonly ms: number }[] = [
  { name: "5m", words: "last 5 minutes", ms: 5 * 60_000 },
  { name: "15m", words: "last 15 minutes", ms: 15 * 60_000 },
  { name: "1h", words: "last hour", ms: 3_600_000 },
  { name: "6h", words: "last 6 hours", ms: 6 * 3_600_000 },
  { name: "24h", words: "last 24 hours", ms: 24 * 3_600_000 },
  { name: "7d", words: "last 7 days", ms: 7 * 24 * 3_600_000 },
  { name: "14d", words: "last 14 days", ms: 14 * 24 * 3_600_000 },
];
export const ANY_TIME: TimeRange = { type: "between", start: null, end: null };
const DEFAULT_RANGE = "1h";

export const DEFAULT_FILTER: TraceFilter = {
  service: null,
  operation: null,
  minDuration: null,
  maxDuration: null,
  error: null,
  range: { type: "last", ms: 3_600_000 },
  order: "newest",
};

export function filterFromSearch(search: string): TraceFilter {
  const query = new URLSearchParams(search);
  const error = query.get("error");
  return {
    service: query.get("service") || null,
    operation: query.get("operation") || null,
    minDuration: parseDuration(query.get("min") ?? ""),
    maxDuration: parseDuration(query.get("max") ?? ""),
    error: error === "true" ? true : error === "false" ? false : null,
    range: rangeFrom(query),
    order: query.get("order") === "slowest" ? "slowest" : "newest",
  };
}

function rangeFrom(query: URLSearchParams): TimeRange {
  const start = parseInstant(query.get("start") ?? "");
  const end = parseInstant(query.get("end") ?? "");
  if (start !== null || end !== null) return { type: "between", start, end };
  const name = query.get("range") ?? DEFAULT_RANGE;
  if (name === "any") return ANY_TIME;
  const ns = parseDuration(name);
  return ns === null || ns <= 0 ? DEFAULT_FILTER.range : { type: "last", ms: ns / NS_PER_MS };
}

export function searchFromFilter(filter: TraceFilter): string {
  const query = new URLSearchParams();
  if (filter.service !== null) query.set("service", filter.service);
  if (filter.operation !== null) query.set("operation", filter.operation);
  if (filter.minDuration !== null) query.set("min", durationForQuery(filter.minDuration));
  if (filter.maxDuration !== null) query.set("max", durationForQuery(filter.maxDuration));
  if (filter.error !== null) query.set("error", `${filter.error}`);
  writeRange(query, filter.range);
  if (filter.order !== "newest") query.set("order", filter.order);
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

function writeRange(query: URLSearchParams, range: TimeRange): void {
  switch (range.type) {
    case "last": {
      const name = rangeName(range.ms);
      if (name !== DEFAULT_RANGE) query.set("range", name);
      return;
    }
    case "between":
      if (range.start === null && range.end === null) query.set("range", "any");
      if (range.start !== null) query.set("start", isoMillis(range.start));
      if (range.end !== null) query.set("end", isoMillis(range.end));
  }
}

/** The written form of a relative range: a preset's name, else minutes. */
export function rangeName(ms: number): string {
  return RANGES.find((range) => range.ms === ms)?.name ?? (ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms}ms`);
}

function isoMillis(t: UnixNanos): string {
  return new Date(millisOf(t)).toISOString();
}

/** RFC 3339, or Unix time in seconds, milliseconds, microseconds or nanoseconds, told apart by the number of digits. */
export function parseInstant(text: string): UnixNanos | null {
  const digits = /^\d{1,19}$/.exec(text.trim())?.[0];
  if (digits !== undefined) {
    const scale = digits.length <= 11 ? 9n : digits.length <= 14 ? 6n : digits.length <= 17 ? 3n : 0n;
    return unixNanos(BigInt(digits) * 10n ** scale);
  }
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : unixNanosOfMillis(ms);
}
