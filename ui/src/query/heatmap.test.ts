import { expect, test } from "vitest";
import { millisOf, NS_PER_MS, NS_PER_S } from "../base/time.ts";
import type { Series } from "../model/series.ts";
import { boxBetween, boxRect, durationMarks, heatmapOf, rectOf, shade, slowestBox, threeDigits } from "./heatmap.ts";

const TIME = { from: 0, to: 60_000 };
const PLOT = { width: 600, height: 100 };
const bucket = (seconds: number, ...counts: readonly number[]): Series => ({
  labels: [{ key: "__bucket", value: seconds }],
  points: counts.map((value, i) => ({ at: (i + 1) * 10_000, value })),
});
const map = heatmapOf([bucket(0.001, 10, 20), bucket(0.016, 0, 1)], TIME, 10_000);

test("rows are without gaps and as wide as the closest buckets", () => {
  const { rows } = heatmapOf([bucket(1, 1), bucket(2, 1), bucket(16, 1)], TIME, 10_000);
  expect(rows.map(({ upper }) => upper / NS_PER_S)).toEqual([1, 2, 4, 8, 16]);
  expect(rows[0]?.lower).toBe(NS_PER_S / 2);
});

test("cells are where there are spans, and lie in the plot", () => {
  expect(map.cells).toEqual([
    { at: 10_000, row: 0, count: 10 },
    { at: 20_000, row: 0, count: 20 },
    { at: 20_000, row: map.rows.length - 1, count: 1 },
  ]);
  const rects = map.cells.map((cell) => rectOf(map, PLOT, cell));
  expect(rects[0]).toMatchObject({ x: 0, width: 100 });
  expect((rects[0]?.y ?? 0) + (rects[0]?.height ?? 0)).toBeCloseTo(PLOT.height);
  expect(rects[2]).toMatchObject({ x: 100, y: 0 });
  expect(shade(map, map.most)).toBe(1);
});

test("nothing gives an empty map that can still be drawn over", () => {
  const none = heatmapOf([], TIME, 10_000);
  expect(none.cells).toEqual([]);
  expect(slowestBox(none)).toBeNull();
  expect(boxBetween(none, PLOT, { x: 0, y: 0 }, { x: 10, y: 10 }).min).toBeGreaterThan(0);
});

test("a box drawn in any direction is the same, in round numbers, and is drawn where it was", () => {
  const [a, b] = [{ x: 120, y: 80 }, { x: 300, y: 20 }];
  const box = boxBetween(map, PLOT, a, b);
  expect(boxBetween(map, PLOT, b, a)).toEqual(box);
  expect([millisOf(box.start), millisOf(box.end)]).toEqual([12_000, 30_000]);
  expect(box.min).toBe(threeDigits(box.min));
  const rect = boxRect(map, PLOT, box);
  expect(rect.x).toBeCloseTo(120);
  expect(rect.y).toBeCloseTo(20, 0);
  expect(rect.height).toBeCloseTo(60, 0);
});

test("a box drawn to the edges has everything there", () => {
  const box = boxBetween(map, PLOT, { x: 10, y: 1.5 }, { x: 300, y: 98 });
  expect(box.max).toBeGreaterThanOrEqual(16 * NS_PER_MS);
  expect(box.min).toBeLessThanOrEqual(0.5 * NS_PER_MS);
  expect(boxBetween(map, PLOT, { x: 10, y: -20 }, { x: 300, y: 120 })).toEqual(box);
});

test("a click is a box too", () => {
  const box = boxBetween(map, PLOT, { x: 50, y: 50 }, { x: 50, y: 50 });
  expect(box.end > box.start && box.max > box.min).toBe(true);
});

test("the slowest are those few above all others", () => {
  const slow = slowestBox(map);
  expect(slow?.min).toBe(threeDigits(8 * NS_PER_MS));
  expect(slow?.max).toBeGreaterThanOrEqual(16 * NS_PER_MS);
});

test("rounded durations are whole nanoseconds", () => {
  expect(threeDigits(32_256_789_123.4)).toBe(32_300_000_000);
  expect(threeDigits(0.4)).toBe(1);
});

test("marks are decades with room between them", () => {
  const wide = heatmapOf([bucket(0.001, 1), bucket(65.536, 1)], TIME, 10_000);
  const marks = durationMarks(wide, PLOT, 18);
  expect(marks.map((ns) => ns / NS_PER_S)).toEqual([0.001, 0.01, 0.1, 1, 10]);
  expect(durationMarks(wide, { ...PLOT, height: 50 }, 18).length).toBeLessThan(marks.length);
});
