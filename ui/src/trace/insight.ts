/**
 * The analysis laid over the tree of the page: everything by position, stretches ready to draw.
 *
 * The server may know a trace a moment longer or shorter than the page does, so spans are matched by id, and what one
 * side does not have is as if it were not on the path.
 */
import { at } from "../base/arrays.ts";
import type { SpanId } from "../base/ids.ts";
import { atOnce, type Steps } from "../base/turns.ts";
import type { Analysis, Finding, Part, Section } from "../model/analysis.ts";
import type { Trace } from "../model/trace.ts";
import { complement, joined, joinSorted, type Pairs, NO_PAIRS, type Stretches, stretchesOf } from "./stretches.ts";
import type { TraceTree } from "./tree.ts";

export interface PlacedPart extends Part {
  /** Of the span that had most of it; -1 when it is not here. */
  readonly position: number;
}

export interface PlacedFinding extends Finding {
  /** Ascending; those that are here. */
  readonly positions: Int32Array;
}

export interface Insight {
  readonly text: string;
  readonly parts: readonly PlacedPart[];
  readonly findings: readonly PlacedFinding[];
  readonly findingsLeftOut: number;
  /** What shares are of, in nanoseconds; 0 without a main root. */
  readonly total: number;
  /** By position, in nanoseconds. */
  readonly self: Float64Array;
  readonly critical: Float64Array;
  /** Time on the critical path of the span and of all below. */
  readonly criticalWithin: Float64Array;
  readonly gap: Float64Array;
  readonly dark: Float64Array;
  readonly shift: Float64Array;
  /** 1 where nobody waited for the span. */
  readonly detached: Uint8Array;
  readonly path: Stretches;
  readonly darkStretches: Stretches;
  /** The sections of the path in order of time, for the line from one span to the next. */
  readonly sections: readonly { readonly position: number; readonly from: number; readonly to: number }[];
  /** Spans whose clocks were corrected. */
  readonly shifted: number;
}

/** `trace` is the one `tree` is of: its start is what the tree's offsets count from. */
export const insightOf = (trace: Trace, tree: TraceTree, analysis: Analysis): Insight => atOnce(insightInSteps(trace, tree, analysis));

/** The same in steps: for whoever gives way between them. */
export function* insightInSteps(trace: Trace, tree: TraceTree, analysis: Analysis): Steps<Insight> {
  const { columns } = analysis;
  const positionOf = positionsOf(columns.id, tree);
  const count = tree.spans.length;
  const moved = Number(analysis.start - trace.start);
  const placedAt = (index: number): number => positionOf[index] ?? -1;
  function* column(values: ArrayLike<number>): Steps<Float64Array> {
    yield;
    const placed = new Float64Array(count);
    for (let i = 0; i < positionOf.length; i++) {
      const position = at(positionOf, i);
      if (position >= 0) placed[position] = at(placed, position) + at(values, i);
    }
    return placed;
  }
  const placed = (section: Section) => ({ position: placedAt(section.span), from: section.start + moved, to: section.end + moved });
  const critical = yield* column(columns.critical);
  const self = yield* column(columns.self);
  const gap = yield* column(columns.gap);
  const dark = yield* column(columns.dark);
  const shift = yield* column(columns.shift);
  const detached = yield* column(columns.detached);
  yield;
  const criticalWithin = sumsWithin(tree, critical);
  yield;
  const findings = analysis.findings.map((finding) => ({ ...finding, positions: positions(finding.spans.map(placedAt)) }));
  yield;
  const sections = analysis.path.map(placed);
  const path = stretchesOf(count, sections);
  yield;
  const darkStretches = stretchesOf(count, analysis.dark.map(placed));
  yield;
  const root = analysis.mainRoot === null ? -1 : placedAt(analysis.mainRoot);
  return {
    text: analysis.text,
    parts: analysis.parts.map((part) => ({ ...part, position: placedAt(part.span) })),
    findings,
    findingsLeftOut: analysis.findingsLeftOut,
    total: root < 0 ? 0 : Math.max(0, at(tree.spans, root).duration),
    self,
    critical,
    criticalWithin,
    gap,
    dark,
    shift,
    detached: Uint8Array.from(detached, (d) => (d > 0 ? 1 : 0)),
    path,
    darkStretches,
    sections,
    shifted: shift.reduce((sum, s) => sum + (s === 0 ? 0 : 1), 0),
  };
}

/** Where the spans of these ids are, -1 for those that are not here. Mostly both sides have them in the same order. */
function positionsOf(ids: readonly SpanId[], tree: TraceTree): Int32Array {
  const positions = new Int32Array(ids.length);
  ids.forEach((id, i) => (positions[i] = tree.spans[i]?.id === id ? i : (tree.positionOf.get(id) ?? -1)));
  return positions;
}

function positions(found: readonly number[]): Int32Array {
  return Int32Array.from(new Set(found.filter((p) => p >= 0))).sort();
}

/** For each position the sum over its subtree. */
export function sumsWithin(tree: TraceTree, values: Float64Array): Float64Array {
  const sums = values.slice();
  for (let p = sums.length - 1; p >= 0; p--) {
    const parent = at(tree.parent, p);
    if (parent >= 0) sums[parent] = at(sums, parent) + at(sums, p);
  }
  return sums;
}

/** Where the time between a client and its server lies: what its children leave of it. None for spans without such time. */
export function gapPairs(tree: TraceTree, insight: Insight, position: number): Pairs {
  if (at(insight.gap, position) <= 0) return NO_PAIRS;
  const children: (readonly [number, number])[] = [];
  const end = position + at(tree.descendants, position);
  for (let p = position + 1; p <= end; p += at(tree.descendants, p) + 1) {
    const child = at(tree.spans, p);
    children.push([child.start, child.start + Math.max(0, child.duration)]);
  }
  const span = at(tree.spans, position);
  return complement(joinSorted(children.sort((a, b) => a[0] - b[0])), span.start, span.start + Math.max(0, span.duration));
}

/** Stretches of whole subtrees, for collapsed rows: joined once and kept, since they are asked for at every frame. */
export class SubtreePath {
  readonly #stretches: Stretches;
  readonly #tree: TraceTree;
  readonly #known = new Map<number, Pairs>();

  constructor(tree: TraceTree, stretches: Stretches) {
    this.#tree = tree;
    this.#stretches = stretches;
  }

  /** Of the span alone. */
  own(position: number): Pairs {
    return joined(this.#stretches, position, position + 1);
  }

  /** Of the span and all below. */
  within(position: number): Pairs {
    let pairs = this.#known.get(position);
    if (pairs === undefined) {
      pairs = joined(this.#stretches, position, position + at(this.#tree.descendants, position) + 1);
      this.#known.set(position, pairs);
    }
    return pairs;
  }
}
