/**
 * Stretches of time that belong to spans, kept flat: those of a span are a range, and since a subtree is a range of
 * positions, so are those of a subtree.
 *
 *     position   0      1    2 …
 *     first     [0,     2,   2,  5 …]      those of position p: first[p] up to first[p + 1]
 *     from      [0, 90, 10, 30, 60 …]      ascending within a position
 *     to        [10,100, 20, 50, 90 …]
 */
import { at, partitionPoint } from "../base/arrays.ts";

export interface Stretches {
  readonly first: Int32Array;
  readonly from: Float64Array;
  readonly to: Float64Array;
}

/** Pairs of from and to, one after the other, ascending and not touching. */
export type Pairs = Float64Array;

export const NO_PAIRS: Pairs = new Float64Array();

/** One stretch as it comes; `position` is -1 for a span that is not in the tree. */
export interface Placed {
  readonly position: number;
  readonly from: number;
  readonly to: number;
}

/** O(n log n) for `placed` in any order. */
export function stretchesOf(count: number, placed: readonly Placed[]): Stretches {
  const known = placed.filter((s) => s.position >= 0 && s.position < count && s.to > s.from);
  known.sort((a, b) => a.position - b.position || a.from - b.from);
  const first = new Int32Array(count + 1);
  for (const { position } of known) first[position + 1] = at(first, position + 1) + 1;
  for (let p = 0; p < count; p++) first[p + 1] = at(first, p + 1) + at(first, p);
  return {
    first,
    from: Float64Array.from(known, (s) => s.from),
    to: Float64Array.from(known, (s) => s.to),
  };
}

/** Those of positions `low` to `high` (exclusive), joined where they touch or overlap. O(n log n) in their number. */
export function joined(stretches: Stretches, low: number, high: number): Pairs {
  const begin = at(stretches.first, low);
  const end = at(stretches.first, high);
  if (begin === end) return NO_PAIRS;
  const order = Array.from({ length: end - begin }, (_, i) => begin + i);
  if (high - low > 1) order.sort((a, b) => at(stretches.from, a) - at(stretches.from, b));
  return joinSorted(order.map((i) => [at(stretches.from, i), at(stretches.to, i)] as const));
}

/** Ascending by `from`; what touches or overlaps becomes one. */
export function joinSorted(stretches: Iterable<readonly [from: number, to: number]>): Pairs {
  const pairs: number[] = [];
  for (const [from, to] of stretches) {
    const last = pairs.length - 1;
    if (last > 0 && from <= at(pairs, last)) pairs[last] = Math.max(at(pairs, last), to);
    else pairs.push(from, to);
  }
  return Float64Array.from(pairs);
}

/** What `pairs` leaves of `from..to`. */
export function complement(pairs: Pairs, from: number, to: number): Pairs {
  const left: number[] = [];
  let open = from;
  for (let i = 0; i < pairs.length; i += 2) {
    if (at(pairs, i) > open) left.push(open, Math.min(at(pairs, i), to));
    open = Math.max(open, at(pairs, i + 1));
    if (open >= to) break;
  }
  if (open < to) left.push(open, to);
  return Float64Array.from(left);
}

/** The index of the first pair that ends after `t`, times two; `pairs.length` when none does. */
export function firstEndingAfter(pairs: Pairs, t: number): number {
  return 2 * partitionPoint(pairs.length / 2, (i) => at(pairs, 2 * i + 1) > t);
}
