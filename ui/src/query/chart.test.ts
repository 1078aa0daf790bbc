import { expect, test } from "vitest";
import type { Series } from "../model/series.ts";
import { barsOf, rateWords, stepFor, timeMarks, widened } from "./chart.ts";

const series = (status: string, ...values: readonly number[]): Series => ({
  labels: [{ key: "status", value: status }],
  points: values.map((value, i) => ({ at: (i + 1) * 1000, value })),
});

test("bars add up all statuses and tell errors apart", () => {
  expect(barsOf([series("unset", 1, 2), series("error", 0.5)], { from: 0, to: 2000 }, 1000)).toEqual([
    { at: 1000, rate: 1.5, errors: 0.5 },
    { at: 2000, rate: 2, errors: 0 },
  ]);
  expect(barsOf([series("ok", 1, 1, 1, 1)], { from: 1000, to: 2000 }, 1000).map(({ at }) => at)).toEqual([2000]);
});

test("steps are whole and make columns that can be pointed at", () => {
  const hour = { from: 0, to: 3_600_000 };
  expect(stepFor(hour, 1300)).toBe(30_000);
  expect(stepFor(hour, 400)).toBe(120_000);
  expect(stepFor({ from: 0, to: 300_000 }, 1300)).toBe(5_000);
  expect(stepFor({ from: 0, to: 400 * 86_400_000 }, 1300) % 86_400_000).toBe(0);
});

test.each([
  [0, "0/s"],
  [1234.4, "1,234/s"],
  [2.25, "2.3/s"],
  [0.05, "3/min"],
  [0.001, "3.6/h"],
])("%d a second is %s", (rate, words) => {
  expect(rateWords(rate)).toBe(words);
});

test("marks of time are at whole steps of the reader's clock", () => {
  const zone = 5.5 * 3_600_000;
  const day = { from: Date.UTC(2026, 10, 21, 1), to: Date.UTC(2026, 10, 22, 1) };
  const marks = timeMarks(day, 700, zone);
  expect(marks.length).toBeGreaterThan(3);
  expect(marks.every((at) => (at + zone) % 3_600_000 === 0)).toBe(true);
});

test("a wider time has the same middle, or ends now", () => {
  expect(widened({ from: 100, to: 200 }, 1000)).toEqual({ from: 50, to: 250 });
  expect(widened({ from: 100, to: 200 }, 210)).toEqual({ from: 10, to: 210 });
});
