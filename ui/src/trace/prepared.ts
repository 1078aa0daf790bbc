/**
 * What follows from a trace alone, computed once for each. Whoever reads a trace prepares it before it is shown: step by
 * step, since all of it at once, and drawing on top, would stop the page for a quarter of a second at 50,000 spans.
 */
import { turn } from "../base/turns.ts";
import type { Trace } from "../model/trace.ts";
import { factsOf as computeFacts } from "./facts.ts";
import { findFolds } from "./folds.ts";
import { filledIn } from "./skeleton.ts";
import { buildTree, treeInSteps, type TraceTree } from "./tree.ts";

const trees = new WeakMap<Trace, TraceTree>();

export function treeOf(trace: Trace): TraceTree {
  const tree = trees.get(trace) ?? buildTree(trace.spans);
  trees.set(trace, tree);
  return tree;
}

export const foldsOf = once((trace: Trace) => findFolds(treeOf(trace)));
export const factsOf = once((trace: Trace) => computeFacts(trace, treeOf(trace)));

/** Fewer are computed within some milliseconds, when they are shown. */
const MANY_SPANS = 5_000;

/** The same trace, with all of this computed. */
export async function prepared(trace: Trace): Promise<Trace> {
  if (trace.spans.length < MANY_SPANS) return trace;
  for (const steps = treeInSteps(trace.spans); !trees.has(trace); ) {
    await turn();
    const { done, value } = steps.next();
    if (done) trees.set(trace, value);
  }
  for (const compute of [foldsOf, factsOf]) {
    await turn();
    compute(trace);
  }
  await turn();
  return trace;
}

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
