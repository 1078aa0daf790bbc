import { expect, test } from "vitest";
import type { LabelValue, Series } from "../model/series.ts";
import { differenceOf, interval } from "./difference.ts";

const one = (type: string, key: string, value: LabelValue, ...counts: readonly number[]): Series => ({
  labels: [
    { key: "__meta_type", value: type },
    { key, value },
  ],
  points: counts.map((count, i) => ({ at: i, value: count })),
});
/** Both sides of an attribute: value, count in the selection, count in the rest. */
const attribute = (key: string, ...values: readonly (readonly [LabelValue, number, number])[]): readonly Series[] =>
  values.flatMap(([value, selected, rest]) => [...(selected > 0 ? [one("selection", key, value, selected)] : []), ...(rest > 0 ? [one("baseline", key, value, rest)] : [])]);

test("shares are of all spans, summed over time", () => {
  const { selected, rest, attributes } = differenceOf([one("selection", "a", "x", 30, 10), one("baseline", "a", "y", 100), one("selection_total", "b", "nil", 80), one("baseline_total", "b", "nil", 200)]);
  expect([selected, rest]).toEqual([80, 200]);
  expect(attributes[0]?.values.find(({ value }) => value === "x")).toMatchObject({ selected: 0.5, rest: 0 });
  expect(attributes[0]?.values.find(({ value }) => value === "y")).toMatchObject({ selected: 0, rest: 0.5 });
});

test("what tells them apart comes before what does not", () => {
  const { attributes } = differenceOf([
    ...attribute("same", ["p", 50, 500], ["q", 50, 500]),
    ...attribute("tenant", ["vip", 95, 100], ["standard", 5, 900]),
    ...attribute("region", ["eu", 60, 500], ["us", 40, 500]),
  ]);
  expect(attributes.map(({ field }) => field)).toEqual(["tenant"]);
  expect(attributes[0]?.values[0]?.value).toBe("vip");
  expect(attributes[0]?.values[0]?.gap).toBeGreaterThan(0.7);
  expect(attributes[0]?.values[1]?.gap).toBeLessThan(0);
});

test("ids that are seen once tell nothing, whatever is selected", () => {
  const ids = Array.from({ length: 6 }, (_, i) => [`id-${i}`, 1, 0] as const);
  const others = Array.from({ length: 10 }, (_, i) => [`other-${i}`, 0, 1] as const);
  const { attributes } = differenceOf([
    ...attribute("request.id", ...ids, ...others),
    ...attribute("version", ["v7", 6, 20], ["v6", 0, 980]),
    one("selection_total", "request.id", "nil", 6),
    one("baseline_total", "request.id", "nil", 1000),
  ]);
  expect(attributes[0]?.field).toBe("version");
  expect(attributes.find(({ field }) => field === "request.id")?.score ?? 0).toBeLessThan((attributes[0]?.score ?? 0) / 3);
});

test("a value that one side does not list may be there unlisted", () => {
  const series = [
    ...attribute("shard", ["s1", 30, 0], ["s2", 0, 300], ["s3", 0, 290]),
    one("selection_total", "shard", "nil", 100),
    one("baseline_total", "shard", "nil", 1000),
  ];
  // 410 of the rest are not listed: s1 may have 290 of them, which is its share of the selection too.
  expect(differenceOf(series).attributes.flatMap(({ values }) => values).find(({ value }) => value === "s1")?.gap ?? 0).toBe(0);
});

test("what is said twice is listed once", () => {
  const same = [["GET /", 90, 100], ["POST /", 10, 900]] as const;
  const { attributes } = differenceOf([...attribute("rootName", ...same), ...attribute("name", ...same)]);
  expect(attributes.map(({ field }) => field)).toEqual(["name"]);
});

test("what the selection was made by is not listed", () => {
  const series = [...attribute("status", ["error", 90, 0], ["unset", 0, 900]), ...attribute("tenant", ["vip", 90, 100], ["standard", 0, 800])];
  expect(differenceOf(series, ["status"]).attributes.map(({ field }) => field)).toEqual(["tenant"]);
});

test("nothing selected has no differences", () => {
  expect(differenceOf([]).attributes).toEqual([]);
  expect(differenceOf(attribute("a", ["x", 0, 10])).attributes).toEqual([]);
});

test("an interval holds its share and narrows with what was seen", () => {
  const [few, many] = [interval(1, 5), interval(100, 500)];
  expect(few.low).toBeLessThan(0.2);
  expect(few.high).toBeGreaterThan(0.2);
  expect(many.high - many.low).toBeLessThan((few.high - few.low) / 5);
  expect(interval(0, 0)).toEqual({ low: 0, high: 1 });
});
