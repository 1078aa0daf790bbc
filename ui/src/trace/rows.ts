/**
 * Which spans are rows of the waterfall: all of them in pre-order, minus what lies under a collapsed span, minus what is
 * filtered out; repeated siblings share a row while they are folded.
 *
 * What a filter hides does not hide what is below it: those rows move up a level.
 */
import { at } from "../base/arrays.ts";
import type { SpanId } from "../base/ids.ts";
import { foldAt, type Folds } from "./folds.ts";
import { ancestors, type TraceTree } from "./tree.ts";

export interface Rows {
  readonly length: number;
  /** Positions in the tree, ascending; a folded row stands at its first member. */
  readonly positions: Int32Array;
  /** Levels as shown, by row. */
  readonly depth: Int32Array;
  readonly depthMax: number;
  /** By position: the row that shows the span, or that of the span which hides it; -1 when a filter leaves neither. */
  readonly rowAt: Int32Array;
  /** By row: the members that share it. */
  readonly folded: ReadonlyMap<number, readonly number[]>;
}

/** What of the tree is shown, apart from filters. */
export interface Shape {
  readonly collapsed: ReadonlySet<SpanId>;
  /** Folds that were opened, by id. */
  readonly unfolded: ReadonlySet<SpanId>;
}

export const WHOLE_SHAPE: Shape = { collapsed: new Set(), unfolded: new Set() };

export interface RowFilter {
  /** Only this span and what is below it; null for all. */
  readonly top: number | null;
  readonly isHidden: (position: number) => boolean;
}

export const NO_FILTER: RowFilter = { top: null, isHidden: () => false };

export function visibleRows(tree: TraceTree, folds: Folds, shape: Shape, filter: RowFilter = NO_FILTER): Rows {
  const count = tree.spans.length;
  const from = filter.top ?? 0;
  const end = filter.top === null ? count : filter.top + at(tree.descendants, filter.top) + 1;
  const positions = new Int32Array(end - from);
  const depth = new Int32Array(end - from);
  const rowAt = new Int32Array(count).fill(-1);
  /** The level of children, by position. */
  const below = new Int32Array(count);
  const folded = new Map<number, number[]>();
  const rowOfFold = new Map<SpanId, number>();
  let length = 0;
  let depthMax = 0;
  for (let p = from; p < end; ) {
    const parent = p === from ? -1 : at(tree.parent, p);
    const level = parent < 0 ? 0 : at(below, parent);
    if (filter.isHidden(p)) {
      below[p] = level;
      rowAt[p] = parent < 0 ? -1 : at(rowAt, parent);
      p += 1;
      continue;
    }
    const size = at(tree.descendants, p) + 1;
    const fold = foldAt(folds, p);
    const isFolded = fold !== null && !shape.unfolded.has(fold.id) && p !== filter.top;
    const shared = isFolded ? rowOfFold.get(fold.id) : undefined;
    if (shared !== undefined) {
      folded.get(shared)?.push(p);
      rowAt.fill(shared, p, p + size);
      p += size;
      continue;
    }
    if (isFolded) {
      rowOfFold.set(fold.id, length);
      folded.set(length, [p]);
    }
    const skips = isFolded || shape.collapsed.has(at(tree.spans, p).id);
    rowAt.fill(length, p, p + (skips ? size : 1));
    positions[length] = p;
    depth[length] = level;
    depthMax = Math.max(depthMax, level);
    below[p] = level + 1;
    length += 1;
    p += skips ? size : 1;
  }
  // A filter may leave one member of a fold: then it is an ordinary row, except that what is below it stays folded.
  return { length, positions: positions.subarray(0, length), depth: depth.subarray(0, length), depthMax, rowAt, folded };
}

/** The row of the span at `position`, or of what hides it; the first row when a filter leaves nothing of it. */
export function rowOf(rows: Rows, position: number): number {
  return Math.max(0, at(rows.rowAt, position));
}

/**
 * `shape` with everything opened that hides the span at `position`; the same shape when nothing does. `own`: whether the
 * fold it is a member of is opened too, so that it gets a row for itself.
 */
export function revealing(tree: TraceTree, folds: Folds, shape: Shape, position: number, own: boolean): Shape {
  const above = ancestors(tree, position);
  const hiding = above.map((p) => at(tree.spans, p).id).filter((id) => shape.collapsed.has(id));
  const folding = (own ? [position, ...above] : above).flatMap((p) => foldAt(folds, p)?.id ?? []).filter((id) => !shape.unfolded.has(id));
  if (hiding.length === 0 && folding.length === 0) return shape;
  const collapsed = new Set(shape.collapsed);
  for (const id of hiding) collapsed.delete(id);
  return { collapsed, unfolded: new Set([...shape.unfolded, ...folding]) };
}

/** Every span with children at `depth` or deeper, so that `depth` levels of rows remain below the roots. */
export function collapsedFrom(tree: TraceTree, depth: number): ReadonlySet<SpanId> {
  const ids = tree.spans.filter((_, p) => at(tree.descendants, p) > 0 && at(tree.depth, p) >= depth);
  return new Set(ids.map((span) => span.id));
}

export function toggled(ids: ReadonlySet<SpanId>, id: SpanId): ReadonlySet<SpanId> {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return next;
}
