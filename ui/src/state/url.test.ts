import { expect, test } from "vitest";
import { spanId, traceId } from "../base/ids.ts";
import { duration, offset, unixNanos } from "../base/time.ts";
import type { TraceFilter } from "../model/summary.ts";
import { ANY_TIME, DEFAULT_FILTER, filterFromSearch, parseInstant, searchFromFilter } from "./list_url.ts";
import { DEFAULT_LOOK, lookFromSearch, searchFromLook, type TraceLook } from "./trace_url.ts";

test("the default filter is the bare address", () => {
  expect(searchFromFilter(DEFAULT_FILTER)).toBe("");
  expect(filterFromSearch("")).toEqual(DEFAULT_FILTER);
});

test.each<[string, Partial<TraceFilter>]>([
  ["?service=a%26b&operation=GET+%2Fa%252Fb", { service: "a&b", operation: "GET /a%2Fb" }],
  ["?min=1500ms&max=2s", { minDuration: duration(1_500_000_000), maxDuration: duration(2_000_000_000) }],
  ["?error=false&order=slowest", { error: false, order: "slowest" }],
  ["?range=7d", { range: { type: "last", ms: 7 * 86_400_000 } }],
  ["?range=90m", { range: { type: "last", ms: 90 * 60_000 } }],
  ["?range=any", { range: ANY_TIME }],
  ["?start=2025-11-21T08%3A50%3A05.123Z", { range: { type: "between", start: unixNanos(1_763_715_005_123_000_000n), end: null } }],
])("the address %s restores the list", (search, patch) => {
  expect(filterFromSearch(search)).toEqual({ ...DEFAULT_FILTER, ...patch });
  const written = searchFromFilter({ ...DEFAULT_FILTER, ...patch });
  expect(filterFromSearch(written)).toEqual({ ...DEFAULT_FILTER, ...patch });
});

test("what cannot be read in an address is at its default", () => {
  expect(filterFromSearch("?min=soon&range=-5&error=maybe&order=best&start=yesterday")).toEqual(DEFAULT_FILTER);
});

test.each([
  ["1763715005", 1_763_715_005_000_000_000n],
  ["1763715005123", 1_763_715_005_123_000_000n],
  ["1763715005123456", 1_763_715_005_123_456_000n],
  ["1763715005123456789", 1_763_715_005_123_456_789n],
  ["2025-11-21T08:50:05Z", 1_763_715_005_000_000_000n],
  ["", null],
])("the instant %j", (text, ns) => {
  expect(parseInstant(text)).toBe(ns);
});

test("the address of a trace restores the look at it", () => {
  const look: TraceLook = {
    view: "table",
    span: spanId("ab"),
    find: 'db "read timed out" 50%',
    zoom: { from: offset(1_200_000), to: offset(5_400_000) },
    finding: "retries.00000000000000ab",
    onlyPath: true,
    skew: false,
    hidden: ["a&b", "cart"],
    top: spanId("cd"),
    by: "@http.route",
    other: traceId("ef"),
  };
  expect(lookFromSearch(searchFromLook(look))).toEqual(look);
  expect(searchFromLook(DEFAULT_LOOK)).toBe("");
});

test.each(["?zoom=5-5", "?zoom=9-1", "?zoom=a-b", "?span=xyz", "?view=best&path=all&skew=maybe&by=&other=q", ""])(
  "%j looks at the whole trace",
  (search) => {
    expect(lookFromSearch(search)).toEqual(DEFAULT_LOOK);
  },
);
