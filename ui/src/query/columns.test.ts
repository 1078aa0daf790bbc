import { expect, test } from "vitest";
import type { Hit } from "../model/hit.ts";
import { columnsOf, valuesUnder } from "./columns.ts";

const hit = (...spans: readonly Readonly<Record<string, string | number>>[]): Hit => {
  const attributes = spans.map((span) => Object.entries(span).map(([label, value]) => ({ label, value })));
  return { matched: spans.length, sets: [{ keys: [], matched: spans.length, spans: attributes.map((found) => ({ attributes: found })) }] } as unknown as Hit;
};

test("columns are what differs: not what the query pins, not what every row has", () => {
  const hits = [hit({ "resource.service.name": "a", "span.route": "/x", status: "error", duration: "1s", "span.n": 3 })];
  expect(columnsOf("{ status = error && span.n > 2 && span.route != nil }", hits)).toEqual(["span.route", "span.n"]);
  expect(columnsOf("{ status = error } >> { }", hits)).toEqual(["span.route", "status", "span.n"]);
});

test("values under a column are distinct", () => {
  expect(valuesUnder(hit({ "span.n": 3 }, { "span.n": 4 }, { "span.n": 3 }), "span.n")).toEqual(["3", "4"]);
});
