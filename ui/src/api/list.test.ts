import { expect, test } from "vitest";
import { duration, unixNanos } from "../base/time.ts";
import type { TraceFilter } from "../model/summary.ts";
import { boundsOf, decodeOperations, decodePage, decodeServices, listAddress } from "./list.ts";

const FILTER: TraceFilter = {
  service: "check & out",
  operation: "GET /a%20b",
  minDuration: duration(1_500_000_000),
  maxDuration: duration(123_456),
  error: false,
  range: { type: "last", ms: 60_000 },
  order: "slowest",
};

test("a filter becomes an address that the server reads as it was meant", () => {
  const bounds = boundsOf(FILTER, 1_763_715_005_000);
  const { pathname, searchParams } = new URL(listAddress(FILTER, bounds, 100, "7-ab"), "http://x");
  expect(pathname).toBe("/api/v1/traces");
  expect(Object.fromEntries(searchParams)).toEqual({
    service: "check & out",
    operation: "GET /a%20b",
    minDuration: "1.5s",
    maxDuration: "123456ns",
    error: "false",
    start: "1763714945000000000",
    order: "slowest",
    limit: "100",
    cursor: "7-ab",
  });
});

test("a range without ends asks for any time", () => {
  const anyTime: TraceFilter = { ...FILTER, range: { type: "between", start: null, end: null } };
  expect(boundsOf(anyTime, 0)).toEqual({ start: null, end: null });
  expect(listAddress(anyTime, boundsOf(anyTime, 0), 20, null)).not.toMatch(/start|end|cursor/);
});

test("a page is decoded with its services, its cursor and what is missing", () => {
  const page = decodePage({
    traces: [
      {
        traceId: "0AF7651916CD43DD8448EB211C80319C",
        rootService: "frontend",
        rootName: "GET /",
        hasRoot: true,
        startTimeUnixNano: "1763715005000000001",
        durationNanos: "123",
        spanCount: 12,
        errorCount: 1,
        services: [{ name: "checkout", spanCount: 3, errorCount: 1 }],
        partial: true,
      },
      { traceId: "abc", hasRoot: false, startTimeUnixNano: "1", durationNanos: "0" },
      { traceId: "not an id" },
    ],
    next: "12-abc",
    missing: ["block 01H"],
  });
  expect(page.next).toBe("12-abc");
  expect(page.missing).toEqual(["block 01H"]);
  expect(page.traces).toEqual([
    {
      id: "0af7651916cd43dd8448eb211c80319c",
      root: { service: "frontend", name: "GET /" },
      start: unixNanos(1_763_715_005_000_000_001n),
      duration: 123,
      spans: 12,
      errors: 1,
      services: [{ name: "checkout", spans: 3, errors: 1 }],
      partial: true,
    },
    { id: "00000000000000000000000000000abc", root: null, start: 1n, duration: 0, spans: 0, errors: 0, services: [], partial: false },
  ]);
});

test("the last page has no next", () => {
  expect(decodePage({ traces: [], next: null, missing: [] }).next).toBeNull();
  expect(decodePage({}).traces).toEqual([]);
});

test("services and operations", () => {
  expect(decodeServices({ services: [{ name: "a", spans: 3, errors: 1 }] })).toEqual([{ name: "a", spans: 3, errors: 1 }]);
  expect(decodeOperations({ operations: [{ name: "GET /", spans: "3", roots: 2 }] })).toEqual([{ name: "GET /", spans: 3, roots: 2 }]);
});
