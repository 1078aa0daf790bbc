import { expect, test } from "vitest";
import { BLOCK_ROWS, blockAt, blocksInSight, topShowing } from "./blocks.ts";

const ROW = 10;
const BLOCK = ROW * BLOCK_ROWS;

test("wherever one scrolls, the rows in sight are there, and rows ahead of them", () => {
  const rows = 1_003;
  const height = 3.3 * BLOCK;
  for (let top = 0; top <= rows * ROW - height; top += 7) {
    const { first, last } = blocksInSight(blockAt(top, ROW), height, ROW, rows);
    expect(first * BLOCK).toBeLessThanOrEqual(Math.max(0, top - BLOCK));
    expect(Math.min(rows * ROW, last * BLOCK)).toBeGreaterThanOrEqual(Math.min(rows * ROW, top + height + BLOCK));
  }
});

test("as many blocks at every place but the ends", () => {
  const counts = [5, 6, 17, 100].map((top) => blocksInSight(top, 3.3 * BLOCK, ROW, 10_000)).map(({ first, last, most }) => [last - first, most]);
  expect(counts).toEqual(counts.map(() => [7, 7]));
});

test("when rows go, the last that are left are there", () => {
  expect(blocksInSight(5_000, 3 * BLOCK, ROW, 2 * BLOCK_ROWS)).toMatchObject({ first: 0, last: 2 });
  expect(blocksInSight(5_000, 3 * BLOCK, ROW, 100 * BLOCK_ROWS)).toMatchObject({ first: 96, last: 100 });
  expect(blocksInSight(0, 0, ROW, 0)).toMatchObject({ first: 0, last: 0 });
});

test("a row is brought into sight by as little as needed, with one before and after it", () => {
  const height = 10 * ROW;
  expect(topShowing(5, 20, height, ROW)).toBe(20);
  expect(topShowing(2, 20, height, ROW)).toBe(10);
  expect(topShowing(0, 20, height, ROW)).toBe(0);
  expect(topShowing(20, 0, height, ROW)).toBe(120);
  expect(topShowing(20, 0, 2 * ROW, ROW)).toBe(200);
});
