import { expect, test } from "vitest";
import type { Series } from "../model/series.ts";
import { ceilingOf, linesOf, numberWords, strokesOf, valueWords } from "./lines.ts";

const series = (service: string, ...values: readonly (readonly [at: number, value: number])[]): Series => ({
  labels: [
    { key: "status", value: "error" },
    { key: "service", value: service },
  ],
  points: values.map(([at, value]) => ({ at, value })),
});

test("lines are named by what tells them apart, the largest first", () => {
  const lines = linesOf([series("cart", [1000, 1]), series("shop", [2000, 9], [1000, 3])]);
  expect(lines.map(({ name }) => name)).toEqual(["shop", "cart"]);
  expect(lines[0]).toMatchObject({ mean: 6, most: 9, last: 9 });
  expect(linesOf([{ labels: [], points: [] }])[0]?.name).toBe("all");
  expect(ceilingOf(lines)).toBe(10);
});

test("a gap in time is a gap in the line, and lines stay in the plot", () => {
  const [line] = linesOf([series("a", [1000, 5], [2000, 10], [5000, 0])]);
  if (!line) throw new Error("no line");
  const strokes = strokesOf(line, { from: 0, to: 5000 }, 1000, 10, { width: 100, height: 50 });
  expect(strokes).toEqual([
    [
      { x: 10, y: 25 },
      { x: 30, y: 0 },
    ],
    [{ x: 90, y: 50 }],
  ]);
});

test.each([
  [1234.5, "1,235"],
  [4.5678, "4.57"],
  [0.0012345, "0.00123"],
  [0, "0"],
])("%d is %s", (x, words) => {
  expect(numberWords(x)).toBe(words);
});

test.each([
  ["{ } | quantile_over_time(duration, .5) by (name)", 0.25, "250 ms"],
  ["{ status = error } | max_over_time( span:duration ) with (sample=true)", 31.2, "31.2 s"],
  ["{ } | avg_over_time(span.duration)", 0.25, "0.25"],
  ["{ duration > 1s } | rate()", 2, "2"],
])("values of %s are told with the unit that they have", (query, value, words) => {
  expect(valueWords(query)(value)).toBe(words);
});
