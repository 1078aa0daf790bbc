/** The lines under a trace that show which of its spans matched. */
import type { Hit, MatchedSpan, SpanSet } from "../../model/hit.ts";

export type Line =
  | { readonly type: "group"; readonly set: SpanSet }
  | { readonly type: "span"; readonly span: MatchedSpan }
  | { readonly type: "more"; readonly count: number };

export function linesOf(hit: Hit): readonly Line[] {
  return hit.sets.flatMap((set): Line[] => {
    const hidden = set.matched - set.spans.length;
    return [
      ...(set.keys.length > 0 ? [{ type: "group", set } as const] : []),
      ...set.spans.map((span) => ({ type: "span", span }) as const),
      ...(hidden > 0 ? [{ type: "more", count: hidden } as const] : []),
    ];
  });
}

/** Where a trace is opened: at its first match, unless everything matched. */
export function focusOf(hit: Hit): MatchedSpan | null {
  return hit.matched < hit.spans ? (hit.sets[0]?.spans[0] ?? null) : null;
}
