/** A comparison made ready for rows. */
import { at } from "../base/arrays.ts";
import type { ComparisonNode } from "../model/comparison.ts";

export interface ComparisonRows {
  /** Levels, by node. */
  readonly depth: Int32Array;
  /** The largest change of time on the critical path, in nanoseconds. */
  readonly most: number;
}

export function comparisonRows(nodes: readonly ComparisonNode[]): ComparisonRows {
  const depth = new Int32Array(nodes.length);
  let most = 0;
  nodes.forEach((node, i) => {
    depth[i] = node.parent >= 0 && node.parent < i ? at(depth, node.parent) + 1 : 0;
    most = Math.max(most, Math.abs(node.criticalChange));
  });
  return { depth, most };
}
