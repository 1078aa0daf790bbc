/**
 * The flame graph: spans merged by their path of service and name, as wide as what was spent in them.
 *
 *     ├ root ───────────────────────────────┤      a frame is as wide as its own part and that of all below;
 *     ├ orders ──────────────┤├ cart ──┤           what is left right of the children is its own
 *     ├ SELECT item ×40 ──┤    ├ redis ┤
 *
 * Widths are sums of self time or of time on the critical path: both add up, unlike durations of spans that overlap.
 */
import { at } from "../base/arrays.ts";
import { isError } from "../model/span.ts";
import { operationsOf } from "./operations.ts";
import type { TraceTree } from "./tree.ts";

/** Frames in pre-order; siblings by what is spent in them, most first. */
export interface Flame {
  readonly frames: readonly Frame[];
  readonly depthMax: number;
  /** Sum over all roots. */
  readonly total: number;
}

export interface Frame {
  readonly service: string;
  readonly name: string;
  /** Index of the frame above; -1 for roots. */
  readonly parent: number;
  readonly depth: number;
  /** Frames below; they are the next ones. */
  readonly descendants: number;
  readonly count: number;
  readonly errors: number;
  /** Summed weight of its spans. */
  readonly own: number;
  /** And of all below. */
  readonly within: number;
  /** The span with the greatest weight. */
  readonly position: number;
}

interface Draft {
  service: string;
  name: string;
  parent: number;
  count: number;
  errors: number;
  own: number;
  within: number;
  position: number;
  most: number;
  children: number[];
}

/** `weights` by position. O(n log n). */
export function buildFlame(tree: TraceTree, weights: Float64Array): Flame {
  const { drafts, roots } = merge(tree, weights);
  for (let i = drafts.length - 1; i >= 0; i--) {
    const draft = at(drafts, i);
    draft.within += draft.own;
    if (draft.parent >= 0) at(drafts, draft.parent).within += draft.within;
  }
  const byWeight = (a: number, b: number): number => at(drafts, b).within - at(drafts, a).within || a - b;
  const frames: Frame[] = [];
  const place = new Int32Array(drafts.length);
  const stack = [...roots].sort(byWeight).reverse();
  const depths = new Int32Array(drafts.length);
  let depthMax = 0;
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { children, parent, most: _, ...draft } = at(drafts, next);
    const depth = parent < 0 ? 0 : at(depths, parent) + 1;
    depths[next] = depth;
    depthMax = Math.max(depthMax, depth);
    place[next] = frames.length;
    frames.push({ ...draft, parent: parent < 0 ? -1 : at(place, parent), depth, descendants: 0 });
    stack.push(...children.sort(byWeight).reverse());
  }
  return { frames: withDescendants(frames), depthMax, total: roots.reduce((sum, root) => sum + at(drafts, root).within, 0) };
}

/** Drafts in the order of their first span, so that parents come before children. */
function merge(tree: TraceTree, weights: Float64Array): { readonly drafts: Draft[]; readonly roots: number[] } {
  const drafts: Draft[] = [];
  const roots: number[] = [];
  const operations = operationsOf(tree);
  /** By parent, then by operation. */
  const index = new Map<number, Map<number, number>>();
  const draftOf = new Int32Array(tree.spans.length);
  tree.spans.forEach((span, position) => {
    const above = at(tree.parent, position);
    const parent = above < 0 ? -1 : at(draftOf, above);
    const { service } = span.resource;
    let below = index.get(parent);
    if (!below) index.set(parent, (below = new Map()));
    const operation = at(operations, position);
    let own = below.get(operation);
    if (own === undefined) {
      own = drafts.length;
      below.set(operation, own);
      drafts.push({ service, name: span.name, parent, count: 0, errors: 0, own: 0, within: 0, position, most: -1, children: [] });
      (parent < 0 ? roots : at(drafts, parent).children).push(own);
    }
    draftOf[position] = own;
    const draft = at(drafts, own);
    const weight = at(weights, position);
    draft.count += 1;
    if (isError(span)) draft.errors += 1;
    draft.own += weight;
    if (weight > draft.most) {
      draft.most = weight;
      draft.position = position;
    }
  });
  return { drafts, roots };
}

function withDescendants(frames: readonly Frame[]): readonly Frame[] {
  const counts = new Int32Array(frames.length);
  for (let i = frames.length - 1; i >= 0; i--) {
    const { parent } = at(frames, i);
    if (parent >= 0) counts[parent] = at(counts, parent) + at(counts, i) + 1;
  }
  return frames.map((frame, i) => ({ ...frame, descendants: at(counts, i) }));
}

export interface FrameBox {
  /** Index of the frame. */
  readonly frame: number;
  readonly depth: number;
  /** Of the whole width, 0 to 1. */
  readonly x: number;
  readonly width: number;
}

/**
 * Where frames lie when `focus` takes the whole width (null: all roots do); the frames above it are as wide, too.
 * Narrower ones than `least` of the width are left out with all below them.
 */
export function layoutFlame(flame: Flame, focus: number | null, least: number): readonly FrameBox[] {
  const boxes: FrameBox[] = [];
  const { frames } = flame;
  if (focus !== null) {
    const above: number[] = [];
    for (let i = at(frames, focus).parent; i >= 0; i = at(frames, i).parent) above.push(i);
    for (const i of above.reverse()) boxes.push({ frame: i, depth: at(frames, i).depth, x: 0, width: 1 });
  }
  const from = focus ?? 0;
  const end = focus === null ? frames.length : focus + at(frames, focus).descendants + 1;
  const total = focus === null ? flame.total : at(frames, focus).within;
  if (total <= 0) return boxes;
  /** Where the next child of a frame begins. */
  const free = new Float64Array(frames.length);
  let freeRoot = 0;
  for (let i = from; i < end; ) {
    const frame = at(frames, i);
    const width = frame.within / total;
    const isTop = i === focus || frame.parent < from || frame.parent < 0;
    const x = isTop ? freeRoot : at(free, frame.parent);
    if (isTop) freeRoot += width;
    else free[frame.parent] = x + width;
    free[i] = x;
    if (width < least) {
      i += frame.descendants + 1;
      continue;
    }
    boxes.push({ frame: i, depth: frame.depth, x, width });
    i += 1;
  }
  return boxes;
}
