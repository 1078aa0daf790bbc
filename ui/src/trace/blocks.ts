/**
 * Which rows exist as elements: blocks of a few rows, those in sight and one more at either end. Where blocks begin does not
 * depend on how far is scrolled, so that a block that is there stays as it is, and scrolling only makes the next one.
 *
 *     rows 0–3    ┌─────────┐
 *                 │ block 0 │   not there
 *          4–7    ├─────────┤
 *                 │ block 1 │   there, ahead of whoever scrolls up
 *          8–11   ├─────────┤ ┬
 *                 │ block 2 │ │ in sight
 *                 ┆         ┆ ┆
 */
import { clamp } from "../base/arrays.ts";

/** Fewer make scrolling even, more make fewer canvases: a fast hand scrolls by some rows in each frame. */
export const BLOCK_ROWS = 4;

/** Blocks by number, `last` exclusive. */
export interface Blocks {
  readonly first: number;
  readonly last: number;
  /** As many as there are at once in a view of this height, wherever it stands. */
  readonly most: number;
}

/** The block that begins last above `top`, a distance from the first row. */
export const blockAt = (top: number, rowHeight: number): number => Math.max(0, Math.floor(top / (rowHeight * BLOCK_ROWS)));

/** The blocks to have while `top` is the block at the upper edge of a view of this height. */
export function blocksInSight(top: number, height: number, rowHeight: number, rows: number): Blocks {
  const all = Math.ceil(rows / BLOCK_ROWS);
  // Of the block at the edge a part is in sight, and so is a part of one more below.
  const seen = Math.ceil(height / (rowHeight * BLOCK_ROWS)) + 1;
  // Rows that were below may be gone; the view then ends at the last that is left.
  const edge = clamp(top, 0, Math.max(0, all - seen + 1));
  return { first: Math.max(0, edge - 1), last: Math.min(all, edge + seen + 1), most: seen + 2 };
}

/** How far to scroll so that `row` is in sight with a row before and after it; `top` where that is so. */
export function topShowing(row: number, top: number, height: number, rowHeight: number): number {
  const [least, most] = [(row + 2) * rowHeight - height, (row - 1) * rowHeight];
  // In a view lower than three rows the row itself is what counts.
  return least > most ? row * rowHeight : Math.max(0, clamp(top, least, most));
}
