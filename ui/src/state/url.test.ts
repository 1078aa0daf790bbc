import { expect, test } from "vitest";
import { spanId, traceId } from "../base/ids.ts";
import { duration, offset, unixNanos } from "../base/time.ts";
import { addressOfSearch, ANY_TIME, DEFAULT_SEARCH, parseInstant, type Search, searchFromAddress } from "./search_url.ts";
import { DEFAULT_LOOK, lookFromSearch, searchFromLook, type TraceLook } from "./trace_url.ts";

test("the default search is the bare address", () => {
  expect(addressOfSearch(DEFAULT_SEARCH)).toBe("");
  expect(searchFromAddress("")).toEqual(DEFAULT_SEARCH);
});

test.each<[string, Partial<Search>]>([
  ["?q=%7B+name+%3D+%22a%26b%22+%7D&order=slowest&view=list", { query: '{ name = "a&b" }', order: "slowest", view: "list" }],
  ["?range=7d", { range: { type: "last", ms: 7 * 86_400_000 } }],
  ["?range=90m&select=errors", { range: { type: "last", ms: 90 * 60_000 }, selection: { type: "errors" } }],
  ["?range=any", { range: ANY_TIME }],
  ["?start=2025-11-21T08%3A50%3A05.123Z", { range: { type: "between", start: unixNanos(1_763_715_005_123_000_000n), end: null } }],
  [
    "?select=1763715005123-1763715065000,800ms-3s",
    {
      selection: {
        type: "box",
        box: { start: unixNanos(1_763_715_005_123_000_000n), end: unixNanos(1_763_715_065_000_000_000n), min: duration(8e8), max: duration(3e9) },
      },
    },
  ],
])("the address %s restores the search", (address, patch) => {
  expect(searchFromAddress(address)).toEqual({ ...DEFAULT_SEARCH, ...patch });
  expect(searchFromAddress(addressOfSearch({ ...DEFAULT_SEARCH, ...patch }))).toEqual({ ...DEFAULT_SEARCH, ...patch });
});

test.each([
  ["?service=a%26b&operation=GET+%2Fa%252Fb", '{ resource.service.name = "a&b" && name = "GET /a%2Fb" }'],
  ["?min=1500ms&max=2s&error=true", "{ duration >= 1.5s && duration <= 2s && status = error }"],
  ["?error=false", "{ status != error }"],
])("filters spelt out in %s become a query", (address, query) => {
  expect(searchFromAddress(address).query).toBe(query);
});

test("what cannot be read in an address is at its default", () => {
  const address = "?min=soon&range=-5&error=maybe&order=best&start=yesterday&view=all&select=9-1,2s-1s";
  expect(searchFromAddress(address)).toEqual(DEFAULT_SEARCH);
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
