/** What the keyboard does on the search page, outside of its table. */
import type { RefObject } from "react";
import { readQuery, writeQuery } from "../../query/chips.ts";
import { bare, condition, fieldOf, isField, replaced } from "../../query/edit.ts";
import { useKeys } from "../../state/keys.ts";
import { wider } from "./TimePicker.tsx";
import type { SearchState } from "./useSearchState.ts";

interface SearchKeys {
  readonly state: SearchState;
  /** Makes the selection the search. */
  readonly keep: () => void;
  readonly refresh: () => void;
  readonly toggleLive: () => void;
  readonly focusEditor: RefObject<() => void>;
}

export function useSearchKeys({ state, keep, refresh, toggleLive, focusEditor }: SearchKeys): void {
  const { search, change, run } = state;
  useKeys({
    r: refresh,
    l: toggleLive,
    o: () => change({ order: search.order === "newest" ? "slowest" : "newest" }),
    e: () => {
      const next = withErrorsToggled(search.query);
      if (next !== null) run(next);
    },
    h: () => change({ view: search.view === "charts" ? "list" : "charts" }),
    E: () => change({ selection: { type: "errors" } }),
    b: keep,
    z: () => change({ range: wider(search.range) }),
    x: () => change({ selection: null }),
    "/": () => focusEditor.current(),
  });
}

/** Only errors, or errors and all else; null when the query is too rich to tell. */
function withErrorsToggled(query: string): string | null {
  const read = readQuery(query);
  if (read.type === "complex") return null;
  const hasErrors = read.parts.some((part) => part.condition && isField("status", part.condition.field) && part.condition.op === "=");
  const next = hasErrors ? null : condition(fieldOf("status"), "=", bare("error"));
  return writeQuery(replaced(read, ({ field }) => isField("status", field), next));
}
