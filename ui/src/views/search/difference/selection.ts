/** A selection over the charts as a search of its own. */
import { durationForQuery } from "../../../base/format.ts";
import type { Condition } from "../../../query/chips.ts";
import { drawnSpans, type Selection } from "../../../query/compose.ts";
import { bare, condition, fieldOf, narrowed } from "../../../query/edit.ts";
import type { Search } from "../../../state/search_url.ts";

/** Charts of no query show roots; what is narrowed from them stays among roots. */
export const narrowedFromCharts = (query: string, next: Condition): string => narrowed(query === "" ? drawnSpans(query) : query, next);

/** Only what is selected: its durations become conditions, its time the time. */
export function searchWithin({ query }: Search, selection: Selection): Partial<Search> & { readonly query: string } {
  if (selection.type === "errors") return { query: narrowedFromCharts(query, condition(fieldOf("status"), "=", bare("error"))), selection: null };
  const { start, end, min, max } = selection.box;
  const least = condition(fieldOf("duration"), ">=", bare(durationForQuery(min)));
  const most = condition(fieldOf("duration"), "<=", bare(durationForQuery(max)));
  return { query: narrowed(narrowedFromCharts(query, least), most), range: { type: "between", start, end }, selection: null };
}
