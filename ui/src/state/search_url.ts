/**
 * The address of a search: the query, its time, order and view, in words a person can read and change.
 *
 *     /?q={ resource.service.name = "checkout" && duration > 1s }&range=6h&order=slowest
 *     /?start=2026-11-21T08:00:00.000Z&end=2026-11-21T09:00:00.000Z&view=list
 *     /?q=…&select=1795253400000-1795253460000,800ms-3s      what a box over the heatmap selects; or select=errors
 *     /?service=checkout&operation=POST+/orders&min=1.5s&error=true      without q: written by hand or by older pages
 *
 * What is missing or cannot be read is at its default, so every address shows something.
 */
import { durationForQuery } from "../base/format.ts";
import { millisOf, NS_PER_MS, parseDuration, type UnixNanos, unixNanos, unixNanosOfMillis } from "../base/time.ts";
import type { Order, TimeRange } from "../model/summary.ts";
import { type Condition, partOf, writeQuery } from "../query/chips.ts";
import type { Selection } from "../query/compose.ts";
import { bare, condition, fieldOf, text } from "../query/edit.ts";

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

export interface Search {
  /** TraceQL; empty for every trace. */
  readonly query: string;
  readonly range: TimeRange;
  readonly order: Order;
  /** Charts above the results, or results alone. */
  readonly view: "charts" | "list";
  /** What is compared with the rest; null for nothing. */
  readonly selection: Selection | null;
}

export const DEFAULT_SEARCH: Search = { query: "", range: { type: "last", ms: 3_600_000 }, order: "newest", view: "charts", selection: null };

export function searchFromAddress(address: string): Search {
  const given = new URLSearchParams(address);
  return {
    query: (given.get("q") ?? queryFromWords(given)).trim(),
    range: rangeFrom(given),
    order: given.get("order") === "slowest" ? "slowest" : "newest",
    view: given.get("view") === "list" ? "list" : "charts",
    selection: selectionFrom(given.get("select") ?? ""),
  };
}

/** The query that filters spelt out one by one amount to. */
function queryFromWords(given: URLSearchParams): string {
  const bound = (name: string, op: Condition["op"]): readonly Condition[] => {
    const ns = parseDuration(given.get(name) ?? "");
    return ns === null ? [] : [condition(fieldOf("duration"), op, bare(durationForQuery(ns)))];
  };
  const equal = (name: string, field: string): readonly Condition[] => {
    const value = given.get(name);
    return value ? [condition(field, "=", text(value))] : [];
  };
  const error = given.get("error");
  const conditions = [
    ...equal("service", fieldOf("service")),
    ...equal("operation", fieldOf("operation")),
    ...bound("min", ">="),
    ...bound("max", "<="),
    ...(error === "true" || error === "false" ? [condition(fieldOf("status"), error === "true" ? "=" : "!=", bare("error"))] : []),
  ];
  return writeQuery({ type: "simple", parts: conditions.map(partOf), tail: "" });
}

function rangeFrom(given: URLSearchParams): TimeRange {
  const start = parseInstant(given.get("start") ?? "");
  const end = parseInstant(given.get("end") ?? "");
  if (start !== null || end !== null) return { type: "between", start, end };
  const name = given.get("range") ?? DEFAULT_RANGE;
  if (name === "any") return ANY_TIME;
  const ns = parseDuration(name);
  return ns === null || ns <= 0 ? DEFAULT_SEARCH.range : { type: "last", ms: ns / NS_PER_MS };
}

function selectionFrom(words: string): Selection | null {
  if (words === "errors") return { type: "errors" };
  const [, start, end, least, most] = /^(\d{1,17})-(\d{1,17}),([^-]+)-([^-]+)$/.exec(words) ?? [];
  const [min, max] = [parseDuration(least ?? ""), parseDuration(most ?? "")];
  if (min === null || max === null || min >= max || Number(start) >= Number(end)) return null;
  return { type: "box", box: { start: unixNanosOfMillis(Number(start)), end: unixNanosOfMillis(Number(end)), min, max } };
}

export function addressOfSearch(search: Search): string {
  const given = new URLSearchParams();
  if (search.query !== "") given.set("q", search.query);
  writeRange(given, search.range);
  if (search.order !== "newest") given.set("order", search.order);
  if (search.view !== "charts") given.set("view", search.view);
  if (search.selection !== null) given.set("select", selectionWords(search.selection));
  const words = given.toString();
  return words === "" ? "" : `?${words}`;
}

function selectionWords(selection: Selection): string {
  if (selection.type === "errors") return "errors";
  const { start, end, min, max } = selection.box;
  return `${millisOf(start)}-${millisOf(end)},${durationForQuery(min)}-${durationForQuery(max)}`;
}

function writeRange(given: URLSearchParams, range: TimeRange): void {
  switch (range.type) {
    case "last": {
      const name = rangeName(range.ms);
      if (name !== DEFAULT_RANGE) given.set("range", name);
      return;
    }
    case "between":
      if (range.start === null && range.end === null) given.set("range", "any");
      if (range.start !== null) given.set("start", isoMillis(range.start));
      if (range.end !== null) given.set("end", isoMillis(range.end));
  }
}

/** The written form of a relative range: a preset's name, else minutes. */
export function rangeName(ms: number): string {
  return RANGES.find((range) => range.ms === ms)?.name ?? (ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms}ms`);
}

export const isAnyTime = (range: TimeRange): boolean => range.type === "between" && range.start === null && range.end === null;

function isoMillis(t: UnixNanos): string {
  return new Date(millisOf(t)).toISOString();
}

/** RFC 3339, or Unix time in seconds, milliseconds, microseconds or nanoseconds, told apart by the number of digits. */
export function parseInstant(words: string): UnixNanos | null {
  const digits = /^\d{1,19}$/.exec(words.trim())?.[0];
  if (digits !== undefined) {
    const scale = digits.length <= 11 ? 9n : digits.length <= 14 ? 6n : digits.length <= 17 ? 3n : 0n;
    return unixNanos(BigInt(digits) * 10n ** scale);
  }
  const ms = Date.parse(words);
  return Number.isNaN(ms) ? null : unixNanosOfMillis(ms);
}
