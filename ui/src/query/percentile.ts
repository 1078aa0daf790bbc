/** Where one duration lies among many that are known by their buckets. */
import type { Heatmap } from "./heatmap.ts";

export interface Rank {
  /** How many durations there are. */
  readonly count: number;
  /** The share of them that is shorter, 0 to 1; within a bucket by the logarithm of the duration. */
  readonly below: number;
  /** Counts of the buckets, shortest first, and in which of them the duration lies (-1: shorter than all, length: longer). */
  readonly counts: readonly number[];
  readonly bucket: number;
}

export function rankIn(map: Heatmap, ns: number): Rank {
  const counts = map.rows.map(() => 0);
  for (const { row, count } of map.cells) counts[row] = (counts[row] ?? 0) + count;
  const bucket = ns < (map.rows[0]?.lower ?? 0) ? -1 : map.rows.findIndex(({ upper }) => ns <= upper);
  let below = 0;
  map.rows.forEach(({ lower, upper }, i) => {
    const share = ns >= upper ? 1 : ns <= lower ? 0 : Math.log(ns / lower) / Math.log(upper / lower);
    below += (counts[i] ?? 0) * share;
  });
  const isLonger = map.rows.length > 0 && bucket < 0 && ns > (map.rows[0]?.lower ?? 0);
  return { count: map.total, below: map.total === 0 ? 0 : below / map.total, counts, bucket: isLonger ? map.rows.length : bucket };
}
