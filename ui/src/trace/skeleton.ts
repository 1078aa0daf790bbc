/** A tree of bare spans, and what they say when it comes: positions stay what they are, so nothing is laid out again. */
import { at } from "../base/arrays.ts";
import type { Span } from "../model/span.ts";
import { movedBy } from "./skew.ts";
import type { TraceTree } from "./tree.ts";

/**
 * `tree` with `spans` in the places of their bare ones, moved to where those are: clocks may have been corrected. Of spans
 * with one id the one that the tree kept is taken; what the tree does not know is left out, and what does not come stays
 * bare.
 */
export function filledIn(tree: TraceTree, spans: readonly Span[]): TraceTree {
  const filled = tree.spans.slice();
  for (const span of spans) {
    const position = tree.positionOf.get(span.id);
    if (position === undefined) continue;
    const bare = at(tree.spans, position);
    const isSame = bare.duration === span.duration && bare.kind === span.kind && bare.name === span.name;
    if (isSame && filled[position] === bare) filled[position] = movedBy(span, bare.start - span.start);
  }
  return { ...tree, spans: filled };
}
