import { expect, test } from "vitest";
import { decodeInstant, decodeSeries, instantAddress, metricsAddress } from "./metrics.ts";

test("a question names its time in seconds and its step in milliseconds", () => {
  const { searchParams } = new URL(metricsAddress({ query: "{ } | rate()", from: 1_500, to: 61_500, stepMs: 250 }), "http://x");
  expect(Object.fromEntries(searchParams)).toEqual({ q: "{ } | rate()", start: "1.500", end: "61.500", step: "250ms" });
});

test("series keep the types of their labels; a value of zero is not on the wire", () => {
  const labels = [
    { key: "a", value: { stringValue: "x" } },
    { key: "b", value: { intValue: "9007199254740993" } },
    { key: "c", value: { doubleValue: 0.5 } },
    { key: "d", value: { boolValue: false } },
    { key: "e", value: {} },
  ];
  expect(decodeSeries({ series: [{ labels, samples: [{ timestampMs: "1000", value: 2 }, { timestampMs: "2000" }] }] })).toEqual([
    {
      labels: [
        { key: "a", value: "x" },
        { key: "b", value: 9_007_199_254_740_993n },
        { key: "c", value: 0.5 },
        { key: "d", value: false },
      ],
      points: [
        { at: 1000, value: 2 },
        { at: 2000, value: 0 },
      ],
    },
  ]);
  expect(decodeSeries({})).toEqual([]);
});

test("all of a stretch at once", () => {
  const { pathname, searchParams } = new URL(instantAddress({ query: "{ }", from: 1_500, to: 61_500 }), "http://x");
  expect([pathname, searchParams.get("start"), searchParams.get("end")]).toEqual(["/api/metrics/query", "1.500", "61.500"]);
  const labels = [{ key: "a", value: { stringValue: "x" } }];
  expect(decodeInstant({ series: [{ labels, value: 7 }, { labels }] }).map(({ points }) => points[0]?.value)).toEqual([7, 0]);
});
