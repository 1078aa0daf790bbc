/** The list of traces: filters in the address, rows as far as one scrolls. */
import { useCallback, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useSearch } from "wouter/use-browser-location";
import { formatCount } from "../../base/format.ts";
import type { TraceFilter } from "../../model/summary.ts";
import { useKeys } from "../../state/keys.ts";
import { filterFromSearch, searchFromFilter } from "../../state/list_url.ts";
import { LIST_ROWS_MAX, type TraceList, useServices, useTraceList } from "../../state/queries.ts";
import { Button, classes, Notice } from "../../widgets/controls.tsx";
import { FilterBar } from "./FilterBar.tsx";
import { FirstSteps } from "./FirstSteps.tsx";
import styles from "./ListView.module.css";
import { NoMatch } from "./NoMatch.tsx";
import { TraceTable } from "./TraceTable.tsx";

/** How often a live list asks again. New traces are in the list within a second of arriving. */
const LIVE_INTERVAL_MS = 3_000;

export function ListView() {
  const search = useSearch();
  const [, navigate] = useLocation();
  const filter = filterFromSearch(search);
  const list = useTraceList(filter);
  const services = useServices();
  const [live, setLive] = useState(false);
  const [atTop, setAtTop] = useState(true);
  const serviceField = useRef<HTMLSelectElement>(null);

  // The first span shows itself.
  const knowsNoSpan = services.data?.length === 0;

  const change = (patch: Partial<TraceFilter>): void => navigate(`/${searchFromFilter({ ...filter, ...patch })}`);
  const refreshAll = (): void => {
    list.refresh();
    void services.refetch();
  };
  useInterval(refreshAll, (live && atTop) || knowsNoSpan ? LIVE_INTERVAL_MS : null);
  useKeys({
    r: refreshAll,
    l: () => setLive(!live),
    o: () => change({ order: filter.order === "newest" ? "slowest" : "newest" }),
    e: () => change({ error: filter.error === true ? null : true }),
    "/": () => serviceField.current?.focus(),
  });
  useEffect(() => {
    document.title = filter.service === null ? "Traces · Throughline" : `${filter.service} · Throughline`;
  }, [filter.service]);

  const isEmpty = list.state === "ready" && list.traces.length === 0 && !list.stale;
  return (
    <main className={styles.view}>
      <h1 className="aside">Traces</h1>
      <FilterBar
        filter={filter}
        services={services.data ?? []}
        traces={list.traces}
        live={live}
        serviceField={serviceField}
        onChange={change}
        onLive={setLive}
        onRefresh={refreshAll}
      />
      <div className={classes(styles.progress, list.fetching && !live && !knowsNoSpan && styles.busy)} />
      {list.state === "ready" && list.error && (
        <Notice look="failed" action={<Button onClick={refreshAll}>try again</Button>}>
          could not refresh: {list.error.message}
        </Notice>
      )}
      {list.missing.length > 0 && <Notice>this list may be incomplete: {list.missing.join("; ")}</Notice>}
      {list.state === "failed" ? (
        <Notice look="failed" action={<Button onClick={refreshAll}>try again</Button>}>
          {list.error?.message}
        </Notice>
      ) : isEmpty ? (
        <div className={styles.empty}>
          {knowsNoSpan ? <FirstSteps /> : <NoMatch filter={filter} onChange={change} />}
        </div>
      ) : (
        <TraceTable key={search} memoryKey={search} list={list} order={filter.order} onTop={setAtTop} />
      )}
      <footer className={styles.foot}>
        <span role="status">{countWords(list)}</span>
        {live && <span>{atTop ? "live" : "live, paused while you read further down"}</span>}
      </footer>
    </main>
  );
}

function countWords(list: TraceList): string {
  if (list.state !== "ready" || list.traces.length === 0) return "";
  const count = formatCount(list.traces.length);
  if (list.capped) return `${count} traces, and more that this list does not show (it ends at ${formatCount(LIST_ROWS_MAX)}): narrow the filters`;
  return list.hasMore ? `${count} traces so far, more below` : list.traces.length === 1 ? "1 trace, that is all" : `${count} traces, that is all`;
}

function useInterval(action: () => void, ms: number | null): void {
  const latest = useRef(action);
  useEffect(() => {
    latest.current = action;
  });
  const run = useCallback(() => latest.current(), []);
  useEffect(() => {
    if (ms === null) return;
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  }, [ms, run]);
}
