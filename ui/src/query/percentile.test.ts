import { expect, test } from "vitest";
import { NS_PER_MS } from "../base/time.ts";
import type { Series } from "../model/series.ts";
import { heatmapOf } from "./heatmap.ts";
import { rankIn } from "./percentile.ts";

const bucket = (seconds: number, count: number): Series => ({ labels: [{ key: "__bucket", value: seconds }], points: [{ at: 1000, value: count }] });
/** 0.5 to 1 ms: 60, 1 to 2 ms: 30, 2 to 4 ms: 0, 4 to 8 ms: 10. */
const map = heatmapOf([bucket(0.001, 60), bucket(0.002, 30), bucket(0.008, 10)], { from: 0, to: 1000 }, 1000);

test.each([
  [0.1, 0, -1],
  [1, 0.6, 0],
  [Math.SQRT2, 0.75, 1],
  [3, 0.9, 2],
  [100, 1, 4],
])("%d ms is longer than %d of all and lies in bucket %i", (ms, below, at) => {
  const rank = rankIn(map, ms * NS_PER_MS);
  expect(rank.below).toBeCloseTo(below);
  expect(rank.bucket).toBe(at);
  expect(rank).toMatchObject({ count: 100, counts: [60, 30, 0, 10] });
});

test("among none there is no place", () => {
  expect(rankIn(heatmapOf([], { from: 0, to: 1 }, 1), 5)).toEqual({ count: 0, below: 0, counts: [], bucket: -1 });
});
