/** Which row the keyboard is on, which rows show their matches, and which one waits for another to be compared with. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { TraceId } from "../../base/ids.ts";
import type { Hit } from "../../model/hit.ts";

export interface RowsInHand {
  /** -1 for none. */
  readonly current: number;
  readonly setCurrent: (row: number) => void;
  readonly opened: ReadonlySet<TraceId>;
  /** Whether that changed anything. */
  readonly open: (row: number, isOpen: boolean) => boolean;
  readonly toggle: (row: number) => void;
  /** The first of two traces to compare. */
  readonly base: Hit | null;
  readonly setBase: (hit: Hit | null) => void;
}

export function useRowsInHand(hits: readonly Hit[]): RowsInHand {
  // By id: rows that live mode adds above do not change which one it is.
  const [currentId, setCurrentId] = useState<TraceId | null>(null);
  const current = useMemo(() => hits.findIndex(({ id }) => id === currentId), [hits, currentId]);
  const [opened, setOpened] = useState<ReadonlySet<TraceId>>(new Set());
  const [base, setBase] = useState<Hit | null>(null);
  const open = (row: number, isOpen: boolean): boolean => {
    const hit = hits[row];
    if (!hit || hit.matched === 0 || opened.has(hit.id) === isOpen) return false;
    const next = new Set(opened);
    if (isOpen) next.add(hit.id);
    else next.delete(hit.id);
    setOpened(next);
    return true;
  };
  const latest = useRef({ hits, open });
  useEffect(() => {
    latest.current = { hits, open };
  });
  // The same functions for all rows and times, so that rows are not painted for nothing.
  const setCurrent = useCallback((row: number) => setCurrentId(latest.current.hits[row]?.id ?? null), []);
  const toggle = useCallback((row: number) => void (latest.current.open(row, true) || latest.current.open(row, false)), []);
  return { current, setCurrent, opened, open, toggle, base, setBase };
}
