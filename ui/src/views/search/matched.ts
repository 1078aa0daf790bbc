/** The lines under a trace that show which of its spans matched. */
import type { Hit, MatchedSpan, SpanSet } from "../../model/hit.ts";
import { readQuery } from "../../query/chips.ts";

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

/** Whether `query` looks for some spans among others: then traces are opened at the first of them, also those of which every span matched. */
export function seeksSpans(query: string): boolean {
  const read = readQuery(query);
  return read.type === "complex" || read.parts.length > 0;
}

export const firstMatch = (hit: Hit): MatchedSpan | null => hit.sets[0]?.spans[0] ?? null;
