import { expect, test } from "vitest";
import { alikeAddress, decodeExtent, decodeOperations, decodeServices } from "./list.ts";

test("names in addresses arrive as they are", () => {
  const { pathname, searchParams } = new URL(alikeAddress("check & out", "GET /a%20b", 20), "http://x");
  expect(pathname).toBe("/api/v1/traces");
  expect(Object.fromEntries(searchParams)).toEqual({ service: "check & out", operation: "GET /a%20b", limit: "20" });
});

test("services and operations", () => {
  expect(decodeServices({ services: [{ name: "a", spans: 3, errors: 1 }] })).toEqual([{ name: "a", spans: 3, errors: 1 }]);
  expect(decodeOperations({ operations: [{ name: "GET /", spans: "3", roots: 2 }] })).toEqual([{ name: "GET /", spans: 3, roots: 2 }]);
});

test("the time of everything, and nothing", () => {
  expect(decodeExtent({ startTimeUnixNano: "5", endTimeUnixNano: "9", leftOut: 2 })).toEqual({ start: 5n, end: 9n, leftOut: 2 });
  expect(decodeExtent({ startTimeUnixNano: null, endTimeUnixNano: null, leftOut: 0 })).toBeNull();
});
