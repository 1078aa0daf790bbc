/** From what a trace says to searches: for the same, or for all but this. */
import type { TimeRange } from "../model/summary.ts";
import type { Condition } from "../query/chips.ts";
import { narrowed } from "../query/edit.ts";
import { getLastSearch } from "./recent.ts";
import { addressOfSearch, DEFAULT_SEARCH, searchFromAddress } from "./search_url.ts";

/** The time one looked at before, or the default. */
function lastRange(): TimeRange {
  return searchFromAddress(getLastSearch()).range;
}

/** A search for spans on which all of `conditions` hold. */
export function searchFor(...conditions: readonly Condition[]): string {
  const query = conditions.reduce(narrowed, "");
  return `/${addressOfSearch({ ...DEFAULT_SEARCH, query, range: lastRange() })}`;
}

/** The search one came from, narrowed by `condition`. */
export function searchFurther(condition: Condition): string {
  const last = searchFromAddress(getLastSearch());
  return `/${addressOfSearch({ ...last, selection: null, query: narrowed(last.query, condition) })}`;
}
