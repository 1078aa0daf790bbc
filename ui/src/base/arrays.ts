/** Checked indexing and small searches over arrays, typed or not. */

/** `xs[i]`, which the caller knows to exist; a violated bound stops loudly instead of spreading `undefined`. */
export function at<T>(xs: ArrayLike<T>, i: number): T {
  const x = xs[i];
  if (x === undefined) throw new RangeError(`index ${i} is outside of ${xs.length} items`);
  return x;
}

/** The first index at which `isBeyond` holds, `length` when nowhere; `isBeyond` must go from false to true once. */
export function partitionPoint(length: number, isBeyond: (i: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBeyond(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}
