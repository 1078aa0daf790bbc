/**
 * The tree of a trace, flat: spans in pre-order with numbers beside them.
 *
 *     position  0 checkout          depth 0   descendants 4   parent -1
 *               1 ├ cart            depth 1   descendants 1   parent  0
 *               2 │ └ redis         depth 2   descendants 0   parent  1
 *               3 ├ payment         depth 1   descendants 0   parent  0
 *               4 └ mail            depth 1   descendants 0   parent  0
 *
 * A subtree is the range `position ..= position + descendants`, so collapsing skips a range and sums run backwards once.
 * Any input gives a tree: an orphan (its parent is not in the trace) is a root and marked, of spans with
 * one id the earliest is kept and the others are counted, and a cycle of parents is cut at its earliest span. O(n log n), no recursion.
 */
import { at } from "../base/arrays.ts";
import type { SpanId } from "../base/ids.ts";
import { atOnce, type Steps } from "../base/turns.ts";
import { isError, type Span } from "../model/span.ts";

export interface TraceTree {
  /** In pre-order; siblings by start, of equal ones the longer first. All arrays below are indexed the same way. */
  readonly spans: readonly Span[];
  /** The position of the parent; -1 for roots of every sort. */
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  readonly descendants: Int32Array;
  /** Spans with an error strictly below. */
  readonly errorsBelow: Int32Array;
  /** The earliest start and the latest end within the subtree, as offsets. */
  readonly subtreeStart: Float64Array;
  readonly subtreeEnd: Float64Array;
  readonly positionOf: ReadonlyMap<SpanId, number>;
  readonly roots: readonly number[];
  /** Roots that name a parent which is not among the spans. */
  readonly orphans: number;
  /** Spans left out because another one has their id. */
  readonly duplicates: number;
  /** Cycles that were cut. */
  readonly cycles: number;
  readonly depthMax: number;
}

const NONE = -1;

/** So many spans are a step: some two milliseconds. */
const STEP_SPANS = 4_096;

export const buildTree = (spans: readonly Span[]): TraceTree => atOnce(treeInSteps(spans));

/** The same in steps: for whoever gives way between them. */
export function* treeInSteps(spans: readonly Span[]): Steps<TraceTree> {
  return (yield* inOrder(spans)) ?? (yield* ordered(spans));
}

/**
 * The tree of spans that come as the server orders them, parents before their children and siblings by start, each id once;
 * null for others. Saves the sorting, which takes longer than all the rest.
 */
function* inOrder(spans: readonly Span[]): Steps<TraceTree | null> {
  const count = spans.length;
  const positionOf = new Map<SpanId, number>();
  const parent = new Int32Array(count).fill(NONE);
  const depth = new Int32Array(count);
  /** The last child of each so far, and of the roots at the end. */
  const last = new Int32Array(count + 1).fill(NONE);
  const roots: number[] = [];
  let orphans = 0;
  let above = NONE;
  for (let i = 0; i < count; i++) {
    if (i % STEP_SPANS === 0) yield;
    const span = at(spans, i);
    positionOf.set(span.id, i);
    const named = span.parentId === null ? NONE : (positionOf.get(span.parentId) ?? NONE);
    if (named === i) return null;
    // The parent is the span before or one of those above it.
    while (above !== NONE && above !== named) above = at(parent, above);
    if (above !== named) return null;
    const siblings = named === NONE ? count : named;
    const before = at(last, siblings);
    if (before !== NONE && byStart(at(spans, before), span) > 0) return null;
    last[siblings] = i;
    if (named === NONE) {
      roots.push(i);
      if (span.parentId !== null) orphans += 1;
    } else {
      parent[i] = named;
      depth[i] = at(depth, named) + 1;
    }
    above = i;
  }
  // An orphan whose parent comes later is none.
  const isLost = (root: number): boolean => !positionOf.has(at(spans, root).parentId ?? ("" as SpanId));
  if (positionOf.size < count || !roots.every(isLost)) return null;
  return { ...(yield* summarise(spans, { parent, depth })), positionOf, roots, orphans, duplicates: 0, cycles: 0 };
}

function* ordered(spans: readonly Span[]): Steps<TraceTree> {
  yield;
  const { unique, indexOf } = withoutDuplicates(spans);
  yield;
  const parents = new Int32Array(unique.length);
  let orphans = 0;
  let ownParents = 0;
  unique.forEach((span, i) => {
    const parent = span.parentId === null ? NONE : (indexOf.get(span.parentId) ?? NONE);
    if (parent === NONE && span.parentId !== null) orphans += 1;
    if (parent === i) ownParents += 1;
    parents[i] = parent === i ? NONE : parent;
  });
  yield;
  const walk = walkPreOrder(parents);
  const inPreOrder = walk.order.map((i) => at(unique, i));
  // The same keys once more: cheaper than a second map of all ids.
  inPreOrder.forEach((span, position) => indexOf.set(span.id, position));
  yield;
  return {
    ...(yield* summarise(inPreOrder, walk)),
    positionOf: indexOf,
    roots: walk.roots,
    orphans,
    duplicates: spans.length - unique.length,
    cycles: walk.cycles + ownParents,
  };
}

/** The spans by start, the first of each id, and where each id is among them. */
function withoutDuplicates(spans: readonly Span[]): { unique: readonly Span[]; indexOf: Map<SpanId, number> } {
  const unique: Span[] = [];
  const indexOf = new Map<SpanId, number>();
  for (const span of [...spans].sort(byStart)) {
    if (indexOf.has(span.id)) continue;
    indexOf.set(span.id, unique.length);
    unique.push(span);
  }
  return { unique, indexOf };
}

function byStart(a: Span, b: Span): number {
  return a.start - b.start || b.duration - a.duration || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

interface Walk {
  /** Indices of the input in pre-order. */
  readonly order: readonly number[];
  /** By position. */
  readonly parent: Int32Array;
  readonly depth: Int32Array;
  readonly roots: readonly number[];
  readonly cycles: number;
}

/** Walks the forest that `parents` describes, siblings in order of index, cutting cycles. */
function walkPreOrder(parents: Int32Array): Walk {
  const count = parents.length;
  const { firstChild, nextSibling } = childLists(parents);
  const order: number[] = [];
  const roots: number[] = [];
  const parent = new Int32Array(count).fill(NONE);
  const depth = new Int32Array(count);
  const position = new Int32Array(count).fill(NONE);
  const stack: number[] = [];

  const walkFrom = (root: number): void => {
    roots.push(order.length);
    let node = root;
    for (;;) {
      const here = order.length;
      const above = node === root ? NONE : at(position, at(parents, node));
      position[node] = here;
      parent[here] = above;
      depth[here] = above === NONE ? 0 : at(depth, above) + 1;
      order.push(node);
      // The next sibling waits while the children are walked; only a cut root can have been met before.
      if (node !== root) pushUnmet(at(nextSibling, node));
      pushUnmet(at(firstChild, node));
      const next = stack.pop();
      if (next === undefined) return;
      node = next;
    }
  };
  const pushUnmet = (first: number): void => {
    let node = first;
    while (node !== NONE && at(position, node) !== NONE) node = at(nextSibling, node);
    if (node !== NONE) stack.push(node);
  };

  for (let i = 0; i < count; i++) if (at(parents, i) === NONE) walkFrom(i);
  let cycles = 0;
  for (let i = 0; i < count; i++) {
    if (at(position, i) !== NONE) continue;
    cycles += 1;
    walkFrom(earliestOfCycle(parents, i));
  }
  return { order, parent, depth, roots, cycles };
}

function childLists(parents: Int32Array): { firstChild: Int32Array; nextSibling: Int32Array } {
  const firstChild = new Int32Array(parents.length).fill(NONE);
  const nextSibling = new Int32Array(parents.length).fill(NONE);
  for (let i = parents.length - 1; i >= 0; i--) {
    const above = at(parents, i);
    if (above === NONE) continue;
    nextSibling[i] = at(firstChild, above);
    firstChild[above] = i;
  }
  return { firstChild, nextSibling };
}

/** The span with the least index on the cycle that the ancestors of `start` end in. */
function earliestOfCycle(parents: Int32Array, start: number): number {
  const seen = new Set<number>();
  let node = start;
  while (!seen.has(node)) {
    seen.add(node);
    node = at(parents, node);
  }
  let least = node;
  for (let other = at(parents, node); other !== node; other = at(parents, other)) least = Math.min(least, other);
  return least;
}

type Sums = Omit<TraceTree, "positionOf" | "roots" | "orphans" | "duplicates" | "cycles">;

/** What follows from order and parents; sums flow from the last span to the first, since parents come before children. */
function* summarise(spans: readonly Span[], { parent, depth }: Pick<Walk, "parent" | "depth">): Steps<Sums> {
  const count = spans.length;
  const descendants = new Int32Array(count);
  const errorsBelow = new Int32Array(count);
  const subtreeStart = new Float64Array(count);
  const subtreeEnd = new Float64Array(count);
  spans.forEach((span, i) => {
    subtreeStart[i] = span.start;
    subtreeEnd[i] = span.start + Math.max(0, span.duration);
  });
  for (let i = count - 1; i >= 0; i--) {
    if (i % STEP_SPANS === 0) yield;
    const above = at(parent, i);
    if (above === NONE) continue;
    descendants[above] = at(descendants, above) + at(descendants, i) + 1;
    errorsBelow[above] = at(errorsBelow, above) + at(errorsBelow, i) + (isError(at(spans, i)) ? 1 : 0);
    subtreeStart[above] = Math.min(at(subtreeStart, above), at(subtreeStart, i));
    subtreeEnd[above] = Math.max(at(subtreeEnd, above), at(subtreeEnd, i));
  }
  return {
    spans,
    parent,
    depth,
    descendants,
    errorsBelow,
    subtreeStart,
    subtreeEnd,
    depthMax: depth.reduce((most, d) => Math.max(most, d), 0),
  };
}

/** The positions from the parent of `position` up to its root. */
export function ancestors(tree: TraceTree, position: number): readonly number[] {
  const path: number[] = [];
  for (let p = at(tree.parent, position); p !== NONE; p = at(tree.parent, p)) path.push(p);
  return path;
}
