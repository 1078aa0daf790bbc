/** Which spans are rows of the waterfall: all of them in pre-order, minus what lies under a collapsed span. */
import { at, partitionPoint } from "../base/arrays.ts";
import type { SpanId } from "../base/ids.ts";
import { ancestors, type TraceTree } from "./tree.ts";

/** Positions in the tree, ascending; the index in this array is the row. */
export type Rows = Int32Array;

export function visibleRows(tree: TraceTree, collapsed: ReadonlySet<SpanId>): Rows {
  const rows = new Int32Array(tree.spans.length);
  let count = 0;
  for (let p = 0; p < tree.spans.length; ) {
    rows[count++] = p;
    p += collapsed.has(at(tree.spans, p).id) ? at(tree.descendants, p) + 1 : 1;
  }
  return rows.subarray(0, count);
}

/** The row of the span at `position`, or of the collapsed ancestor that hides it. */
export function rowOf(rows: Rows, position: number): number {
  return Math.max(0, partitionPoint(rows.length, (row) => at(rows, row) > position) - 1);
}

/** `collapsed` with the ancestors of `position` opened, so that it has a row; the same set when nothing changes. */
export function revealing(tree: TraceTree, collapsed: ReadonlySet<SpanId>, position: number): ReadonlySet<SpanId> {
  const hiding = ancestors(tree, position).filter((p) => collapsed.has(at(tree.spans, p).id));
  if (hiding.length === 0) return collapsed;
  const opened = new Set(collapsed);
  for (const p of hiding) opened.delete(at(tree.spans, p).id);
  return opened;
}

/** Every span with children at `depth` or deeper, so that `depth` levels of rows remain below the roots. */
export function collapsedFrom(tree: TraceTree, depth: number): ReadonlySet<SpanId> {
  const ids = tree.spans.filter((_, p) => at(tree.descendants, p) > 0 && at(tree.depth, p) >= depth);
  return new Set(ids.map((span) => span.id));
}

export function toggled(collapsed: ReadonlySet<SpanId>, id: SpanId): ReadonlySet<SpanId> {
  const next = new Set(collapsed);
  if (!next.delete(id)) next.add(id);
  return next;
}
