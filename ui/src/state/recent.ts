/** The queries that were run last in this browser, newest first, and the search one came from. */
import { useSyncExternalStore } from "react";

const KEY = "throughline.recent";
/** More are not found again by looking. */
const RECENT_MAX = 20;
/** Longer texts are links' business. */
const LENGTH_MAX = 2_000;

const listeners = new Set<() => void>();
let recent: readonly string[] = read();

function read(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((item) => typeof item === "string").slice(0, RECENT_MAX) : [];
  } catch {
    return [];
  }
}

export function rememberQuery(query: string): void {
  if (query === "" || query === recent[0] || query.length > LENGTH_MAX) return;
  store([query, ...recent.filter((old) => old !== query)].slice(0, RECENT_MAX));
}

export const forgetQueries = (): void => store([]);

function store(next: readonly string[]): void {
  recent = next;
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Storage may be forbidden; the list then lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useRecentQueries = (): readonly string[] => useSyncExternalStore(subscribe, () => recent);

/** The address part of the last search of this visit: what "exclude this" in a trace refines. */
let lastSearch = "";
export const setLastSearch = (address: string): void => {
  lastSearch = address;
};
export const getLastSearch = (): string => lastSearch;
