/** What is computed of a trace once, and again when it, its analysis or the correction of clocks changes. */
import { useCallback, useMemo } from "react";
import type { TraceSource } from "../../api/source.ts";
import { at } from "../../base/arrays.ts";
import type { Analysis } from "../../model/analysis.ts";
import type { Trace } from "../../model/trace.ts";
import { useSlots } from "../../state/queries.ts";
import type { SlotOf } from "../../trace/colours.ts";
import type { TraceFacts } from "../../trace/facts.ts";
import type { Folds } from "../../trace/folds.ts";
import { type Insight, SubtreePath } from "../../trace/insight.ts";
import type { Overlay } from "../../trace/layout.ts";
import { errorsOf, factsOf, filledTree, foldsOf, treeOf } from "../../trace/prepared.ts";
import { SearchIndex } from "../../trace/search.ts";
import type { TraceTree } from "../../trace/tree.ts";
import { useAnalysed } from "./useAnalysed.ts";

export interface TraceModel {
  readonly source: TraceSource;
  /** As it was sent, once all of it is here. */
  readonly whole: Trace | null;
  /** With clocks corrected, if they are. */
  readonly trace: Trace;
  readonly tree: TraceTree;
  /** The same before its spans said anything, and no other when they do: for all that follows from ids, names and times. */
  readonly bare: TraceTree;
  readonly facts: TraceFacts;
  readonly folds: Folds;
  readonly index: SearchIndex;
  /** Positions of spans with an error. */
  readonly errors: Int32Array;
  /** Null until the server has said and that is laid over the tree, or when it could not. */
  readonly insight: Insight | null;
  readonly overlay: Overlay | null;
  readonly slotOf: SlotOf;
  readonly slotAt: (position: number) => number;
}

/** `recorded` is enough to draw; `whole` has what its spans say as well, and is null until that is here. */
export function useTraceModel(recorded: Trace, whole: Trace | null, analysis: Analysis | null, source: TraceSource): TraceModel {
  // Spans that came after the skeleton are known from the whole alone.
  const known = whole !== null && whole.spans.length > recorded.spans.length ? whole : recorded;
  const overlaid = useAnalysed(known, analysis);
  const trace = overlaid?.trace ?? known;
  const insight = overlaid?.insight ?? null;
  // Positions are the same when the spans begin to speak.
  const bare = treeOf(trace);
  const tree = whole !== null && whole !== trace && bare.spans.length > 0 ? filledTree(bare, whole) : bare;
  const facts = factsOf(trace);
  const folds = foldsOf(trace);
  const index = useMemo(() => new SearchIndex(tree), [tree]);
  const errors = errorsOf(trace);
  const overlay = useMemo(
    () => insight && { insight, path: new SubtreePath(bare, insight.path), dark: new SubtreePath(bare, insight.darkStretches) },
    [bare, insight],
  );
  const slotOf = useSlots();
  const slotAt = useCallback((position: number) => slotOf(at(bare.spans, position).resource.service), [slotOf, bare]);
  return useMemo(
    () => ({ source, whole, trace, tree, bare, facts, folds, index, errors, insight, overlay, slotOf, slotAt }),
    [source, whole, trace, tree, bare, facts, folds, index, errors, insight, overlay, slotOf, slotAt],
  );
}
