/**
 * What follows from a trace alone, computed once for each. Whoever reads a trace prepares it before it is shown: step by
 * step, since all of it at once, and drawing on top, would stop the page for a quarter of a second at 50,000 spans.
 */
import { atOnce, inTurns, type Steps, turn } from "../base/turns.ts";
import type { Analysis } from "../model/analysis.ts";
import { isError } from "../model/span.ts";
import type { Trace } from "../model/trace.ts";
import { factsOf as computeFacts } from "./facts.ts";
import { findFolds } from "./folds.ts";
import { type Insight, insightInSteps } from "./insight.ts";
import { filledIn } from "./skeleton.ts";
import { visibleRows, WHOLE_SHAPE } from "./rows.ts";
import { corrected } from "./skew.ts";
import { buildTree, treeInSteps, type TraceTree } from "./tree.ts";

const trees = new WeakMap<Trace, TraceTree>();

export function treeOf(trace: Trace): TraceTree {
  const tree = trees.get(trace) ?? buildTree(trace.spans);
  trees.set(trace, tree);
  return tree;
}

export const foldsOf = once((trace: Trace) => findFolds(treeOf(trace)));
export const factsOf = once((trace: Trace) => computeFacts(trace, treeOf(trace)));
/** Its rows while nothing is collapsed, unfolded or filtered out. */
export const wholeRowsOf = once((trace: Trace) => visibleRows(treeOf(trace), foldsOf(trace), WHOLE_SHAPE));
/** Positions of spans with an error. */
export const errorsOf = once((trace: Trace) => {
  const positions: number[] = [];
  treeOf(trace).spans.forEach((span, position) => isError(span) && positions.push(position));
  return Int32Array.from(positions);
});

/** Fewer are computed within some milliseconds, when they are shown. */
const MANY_SPANS = 5_000;
export const isLarge = (trace: Trace): boolean => trace.spans.length >= MANY_SPANS;

/** The same trace, with all of this computed. */
export async function prepared(trace: Trace): Promise<Trace> {
  if (!isLarge(trace)) return trace;
  await inTurns(preparing(trace));
  await turn();
  return trace;
}

function* preparing(trace: Trace): Steps<void> {
  if (!trees.has(trace)) trees.set(trace, yield* treeInSteps(trace.spans));
  yield;
  for (const compute of [foldsOf, factsOf, wholeRowsOf, errorsOf]) {
    yield;
    compute(trace);
  }
  yield;
}

/** A trace with the analysis laid over it. */
export interface Analysed {
  /** With clocks corrected, if they are. */
  readonly trace: Trace;
  readonly insight: Insight;
}

/** `recorded` with clocks as `analysis` corrects them, and what it says of each span; prepared as `recorded` was. */
export function* analysing(recorded: Trace, analysis: Analysis): Steps<Analysed> {
  const trace = corrected(recorded, analysis);
  yield* preparing(trace);
  return { trace, insight: yield* insightInSteps(trace, treeOf(trace), analysis) };
}

export const analysed = (recorded: Trace, analysis: Analysis): Analysed => atOnce(analysing(recorded, analysis));

const filled = new WeakMap<Trace, { readonly from: TraceTree; readonly tree: TraceTree }>();

/** `bare` with what the spans of `whole` say. */
export function filledTree(bare: TraceTree, whole: Trace): TraceTree {
  const known = filled.get(whole);
  if (known?.from === bare) return known.tree;
  const tree = filledIn(bare, whole.spans);
  filled.set(whole, { from: bare, tree });
  return tree;
}

function once<Result>(compute: (trace: Trace) => Result): (trace: Trace) => Result {
  const known = new WeakMap<Trace, { readonly result: Result }>();
  return (trace) => {
    const found = known.get(trace) ?? { result: compute(trace) };
    known.set(trace, found);
    return found.result;
  };
}
