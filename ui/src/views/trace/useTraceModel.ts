/** What is computed of a trace once, and again when it, its analysis or the correction of clocks changes. */
import { useCallback, useMemo } from "react";
import { at } from "../../base/arrays.ts";
import type { Analysis } from "../../model/analysis.ts";
import { isError, type Span } from "../../model/span.ts";
import type { Trace } from "../../model/trace.ts";
import { useSlots } from "../../state/queries.ts";
import type { SlotOf } from "../../trace/colours.ts";
import { factsOf, type TraceFacts } from "../../trace/facts.ts";
import { findFolds, type Folds } from "../../trace/folds.ts";
import { type Insight, insightOf, SubtreePath } from "../../trace/insight.ts";
import type { Overlay } from "../../trace/layout.ts";
import { SearchIndex } from "../../trace/search.ts";
import { corrected } from "../../trace/skew.ts";
import { buildTree, type TraceTree } from "../../trace/tree.ts";

export interface TraceModel {
  /** As it was sent. */
  readonly recorded: Trace;
  /** With clocks corrected, if they are. */
  readonly trace: Trace;
  readonly tree: TraceTree;
  readonly facts: TraceFacts;
  readonly folds: Folds;
  readonly index: SearchIndex;
  /** Positions of spans with an error. */
  readonly errors: Int32Array;
  /** Null until the server has said, or when it could not. */
  readonly insight: Insight | null;
  readonly overlay: Overlay | null;
  readonly slotOf: SlotOf;
  readonly slotAt: (position: number) => number;
}

export function useTraceModel(recorded: Trace, analysis: Analysis | null): TraceModel {
  const trace = useMemo(() => (analysis ? corrected(recorded, analysis) : recorded), [recorded, analysis]);
  const tree = useMemo(() => buildTree(trace.spans), [trace]);
  const facts = useMemo(() => factsOf(trace, tree), [trace, tree]);
  const folds = useMemo(() => findFolds(tree), [tree]);
  const index = useMemo(() => new SearchIndex(tree), [tree]);
  const errors = useMemo(() => positionsWhere(tree.spans, isError), [tree]);
  const insight = useMemo(() => (analysis ? insightOf(trace, tree, analysis) : null), [trace, tree, analysis]);
  const overlay = useMemo(
    () => insight && { insight, path: new SubtreePath(tree, insight.path), dark: new SubtreePath(tree, insight.darkStretches) },
    [tree, insight],
  );
  const slotOf = useSlots();
  const slotAt = useCallback((position: number) => slotOf(at(tree.spans, position).resource.service), [slotOf, tree]);
  return useMemo(
    () => ({ recorded, trace, tree, facts, folds, index, errors, insight, overlay, slotOf, slotAt }),
    [recorded, trace, tree, facts, folds, index, errors, insight, overlay, slotOf, slotAt],
  );
}

function positionsWhere(spans: readonly Span[], holds: (span: Span) => boolean): Int32Array {
  return Int32Array.from(spans.flatMap((span, i) => (holds(span) ? [i] : [])));
}
