import { expect, test } from "vitest";
import { unixNanos } from "../base/time.ts";
import { completeAddress, decodeDiagnosis, decodeHits, decodeTags, type SearchQuestion, searchAddress } from "./search.ts";

const QUESTION: SearchQuestion = { query: '{ name = "a & b" }', bounds: { start: unixNanos(5n), end: null }, order: "slowest", limit: 100, cursor: "7-ab" };
const parts = (address: string): readonly [string, Readonly<Record<string, string>>] => {
  const { pathname, searchParams } = new URL(address, "http://x");
  return [pathname, Object.fromEntries(searchParams)];
};

test("a question becomes an address that the server reads as it was meant", () => {
  expect(parts(searchAddress(QUESTION))).toEqual(["/api/v1/search", { q: '{ name = "a & b" }', start: "5", sort: "slowest", limit: "100", spss: "5", cursor: "7-ab" }]);
  expect(parts(searchAddress({ ...QUESTION, query: "", cursor: null }))).toEqual(["/api/v1/traces", { start: "5", order: "slowest", limit: "100" }]);
});

test("a page is decoded with what matched, its cursor and what is missing", () => {
  const page = decodeHits({
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
        matched: 4,
        spansets: [
          {
            keys: { "by(name)": "x" },
            matched: 4,
            spans: [
              { span_id: "00F067AA0BA902B7", name: "x", service: "checkout", start: "1763715005000000002", duration: "99", attributes: { "span.a": [1, 2], status: "error", "span.b": null } },
              { span_id: "no id" },
            ],
          },
        ],
      },
      { traceId: "not an id" },
    ],
    next: "12-abc",
    missing: ["block 01H"],
    stats: { spans: 1234, elapsed_ms: 5.25 },
  });
  expect(page).toMatchObject({ next: "12-abc", missing: ["block 01H"], cost: "1,234 spans looked at in 5.3 ms" });
  expect(page.hits).toHaveLength(1);
  expect(page.hits[0]).toEqual({
    id: "0af7651916cd43dd8448eb211c80319c",
    root: { service: "frontend", name: "GET /" },
    start: 1_763_715_005_000_000_001n,
    duration: 123,
    spans: 12,
    errors: 1,
    services: [{ name: "checkout", spans: 3, errors: 1 }],
    partial: true,
    matched: 4,
    sets: [
      {
        keys: [{ label: "by(name)", value: "x" }],
        matched: 4,
        spans: [
          {
            id: "00f067aa0ba902b7",
            name: "x",
            service: "checkout",
            start: 1_763_715_005_000_000_002n,
            duration: 99,
            attributes: [
              { label: "span.a", value: [1, 2] },
              { label: "status", value: "error" },
            ],
          },
        ],
      },
    ],
  });
});

test("the last page has no next, and an empty answer is an empty page", () => {
  expect(decodeHits({ traces: [], next: null, missing: [] })).toEqual({ hits: [], next: null, missing: [], cost: "" });
  expect(decodeHits({}).hits).toEqual([]);
});

test("places in what the server says about a text are turned from bytes", () => {
  const query = '{ name == "é" }';
  const { isValid, diagnostics } = decodeDiagnosis(query, {
    valid: false,
    diagnostics: [{ severity: "error", message: "no `==`", hint: "write `=`", start: 7, end: 9, fixes: [{ start: 7, end: 9, replacement: "=" }] }],
  });
  expect(isValid).toBe(false);
  expect(diagnostics).toEqual([{ severity: "error", message: "no `==`", hint: "write `=`", from: 7, to: 9, fixes: [{ from: 7, to: 9, text: "=" }] }]);
  expect(new URL(completeAddress(query, query.length, { start: null, end: null }), "http://x").searchParams.get("at")).toBe(`${query.length + 1}`);
});

test("attributes are written as a query takes them", () => {
  const scopes = [
    { name: "span", tags: ["http.route", "a b"] },
    { name: "intrinsic", tags: ["duration", "trace:id"] },
  ];
  expect(decodeTags({ scopes })).toEqual(["span.http.route", 'span."a b"', "duration", "trace:id"]);
});
