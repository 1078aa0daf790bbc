/** The search that the address holds, and the text that is being typed: one query, wherever it is changed. */
import { useEffect, useLayoutEffect, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { useSearch } from "wouter/use-browser-location";
import { rememberQuery, setLastSearch } from "../../state/recent.ts";
import { addressOfSearch, type Search, searchFromAddress } from "../../state/search_url.ts";

export interface SearchState {
  readonly search: Search;
  /** What the editor shows; differs from the search while it is typed. */
  readonly draft: string;
  readonly setDraft: (text: string) => void;
  readonly change: (patch: Partial<Search>) => void;
  /** Makes `query` the search. */
  readonly run: (query: string, more?: Partial<Search>) => void;
}

export function useSearchState(): SearchState {
  const address = useSearch();
  const [, navigate] = useLocation();
  const search = useMemo(() => searchFromAddress(address), [address]);
  const [draft, setDraft] = useState(search.query);
  // The address changed from elsewhere: going back, a link, a chip. At once, lest it takes back what is typed next.
  useLayoutEffect(() => setDraft(search.query), [search.query]);
  useEffect(() => setLastSearch(address), [address]);

  const change = (patch: Partial<Search>): void => {
    // A box belongs to the stretch of time it was drawn in.
    const dropsBox = patch.range !== undefined && patch.selection === undefined && search.selection?.type === "box";
    navigate(`/${addressOfSearch({ ...search, ...(dropsBox && { selection: null }), ...patch })}`);
  };
  const run = (query: string, more: Partial<Search> = {}): void => {
    const next = query.trim();
    setDraft(next);
    rememberQuery(next);
    change({ query: next, ...more });
  };
  return { search, draft, setDraft, change, run };
}
