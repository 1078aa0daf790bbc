/** The search page: one query in the address; an editor, chips and charts that change it; what it finds below. */
import { Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { formatCount, plural } from "../../base/format.ts";
import { splitQuery } from "../../query/compose.ts";
import { rangeOfCharts } from "../../state/charts.ts";
import { useDiagnosis } from "../../state/diagnosis.ts";
import { type HitList, HITS_MAX, type Live, useHits, useLive } from "../../state/hits.ts";
import { useExtent, useServices } from "../../state/queries.ts";
import { Button, classes, Notice } from "../../widgets/controls.tsx";
import { later } from "../../widgets/later.tsx";
import { Charts } from "./charts/Charts.tsx";
import { ChipBar } from "./ChipBar.tsx";
import { DifferencePanel } from "./difference/DifferencePanel.tsx";
import { narrowedFromCharts, searchWithin } from "./difference/selection.ts";
import { FirstSteps } from "./FirstSteps.tsx";
import { NoMatch } from "./NoMatch.tsx";
import { Problems } from "./Problems.tsx";
import { QueryBar } from "./QueryBar.tsx";
import styles from "./SearchView.module.css";
import { TraceTable } from "./TraceTable.tsx";
import { useSearchKeys } from "./useSearchKeys.ts";
import { useSearchState } from "./useSearchState.ts";

const SeriesChart = later(() => import("./charts/SeriesChart.tsx").then((m) => m.SeriesChart));

/** How often a server that knows no span is asked again. */
const WAITING_INTERVAL_MS = 3_000;

export function SearchView() {
  const state = useSearchState();
  const { search, draft, run, change } = state;
  const isMetrics = splitQuery(search.query).isMetrics;
  // What is selected over the charts filters the results; the charts go on showing all, and the query says what was asked.
  const within = search.selection && !isMetrics ? { ...search, ...searchWithin(search, search.selection) } : search;
  const found = isMetrics ? splitQuery(search.query).filter : within.query;
  const wanted = { query: found, range: within.range, order: search.order };
  const list = useHits(wanted);
  const services = useServices();
  const diagnosis = useDiagnosis(draft);
  const extent = useExtent(rangeOfCharts(search.range, null) === null);
  const charted = rangeOfCharts(search.range, extent.data?.start ?? null);
  const leftOut = charted === search.range ? 0 : (extent.data?.leftOut ?? 0);
  const [isLive, setLive] = useState(false);
  const [atTop, setAtTop] = useState(true);
  const live = useLive(wanted, isLive, list.hits);
  const focusEditor = useRef<() => void>(() => undefined);

  // The first span shows itself.
  const knowsNoSpan = services.data?.length === 0;
  const refreshAll = (): void => {
    list.refresh();
    void services.refetch();
  };
  useInterval(refreshAll, knowsNoSpan ? WAITING_INTERVAL_MS : null);
  const takesIn = isLive && atTop && (live.waiting > 0 || live.grown);
  useEffect(() => {
    if (takesIn) live.show();
  });
  const runOrRefresh = (text: string): void => (text.trim() === search.query ? refreshAll() : run(text));
  const keep = (): void => {
    if (search.selection === null) return;
    const { query, ...more } = searchWithin(search, search.selection);
    run(query, more);
  };
  useSearchKeys({ state, keep, refresh: refreshAll, toggleLive: () => setLive(!isLive), focusEditor });
  useEffect(() => {
    document.title = search.query === "" ? "Traces · Throughline" : `${search.query.slice(0, 60)} · Throughline`;
  }, [search.query]);

  const memoryKey = useMemo(() => JSON.stringify([found, within.range, search.order], (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value)), [found, within.range, search.order]);
  const isEmpty = list.state === "ready" && list.hits.length === 0 && !list.stale;
  const isRefused = diagnosis !== null && !diagnosis.isValid && draft === search.query;
  return (
    <main className={styles.view}>
      <h1 className="aside">Search traces</h1>
      <QueryBar
        state={state}
        diagnosis={diagnosis}
        isLive={isLive}
        onLive={setLive}
        onRun={runOrRefresh}
        onRefresh={refreshAll}
        focusEditor={focusEditor}
      />
      <ChipBar query={search.query} draft={draft} services={services.data ?? []} hits={list.hits} order={search.order} onQuery={run} onOrder={(order) => change({ order })} />
      <div className={classes(styles.progress, list.fetching && !isLive && !knowsNoSpan && styles.busy)} />
      {isRefused ? (
        <Problems diagnosis={diagnosis} onFix={run} />
      ) : (
        list.error && (
          <Notice look="failed" action={<Button onClick={refreshAll}>try again</Button>}>
            {list.state === "ready" && !list.stale ? `could not refresh: ${list.error.message}` : list.error.message}
          </Notice>
        )
      )}
      {list.missing.length > 0 && <Notice>these results may be incomplete: {list.missing.join("; ")}</Notice>}
      {search.view === "charts" && !knowsNoSpan && !isRefused && (
        <Suspense fallback={<div className={styles.chartsComing} />}>
          {charted === null ? (
            <div className={styles.chartsComing} />
          ) : isMetrics ? (
            <SeriesChart query={search.query} range={charted} isLive={isLive} />
          ) : (
            <Charts
              query={search.query}
              range={charted}
              selection={search.selection}
              isLive={isLive}
              onSelect={(selection) => change({ selection })}
              onRange={(range) => change({ range })}
            />
          )}
        </Suspense>
      )}
      <div className={styles.split}>
        {isEmpty ? (
          <div className={styles.empty}>{knowsNoSpan ? <FirstSteps /> : <NoMatch search={search} onChange={change} onQuery={run} />}</div>
        ) : (
          <TraceTable
            key={memoryKey}
            memoryKey={memoryKey}
            list={list}
            query={found}
            order={search.order}
            onOrder={(order) => change({ order })}
            waiting={isLive && !atTop ? live.waiting : 0}
            onShowWaiting={live.show}
            onTop={setAtTop}
          />
        )}
        {search.selection && !isMetrics && charted && (
          <DifferencePanel
            query={search.query}
            range={charted}
            selection={search.selection}
            onSelect={(selection) => change({ selection })}
            onKeep={keep}
            onNarrow={(condition) => run(narrowedFromCharts(search.query, condition))}
          />
        )}
      </div>
      <footer className={styles.foot}>
        <span role="status">{countWords(list)}</span>
        <span>{list.cost}</span>
        {search.view === "charts" && leftOut > 0 && <span>the charts leave out {plural(leftOut, "trace")} with times more than a year away from most</span>}
        {isLive && <span>{liveWords(live, atTop)}</span>}
      </footer>
    </main>
  );
}

function liveWords({ error, isCut }: Live, atTop: boolean): string {
  if (error) return `not live: ${error.message}`;
  return `live${isCut ? ", of many at once the newest" : ""}${atTop ? "" : ", new ones wait while you read further down"}`;
}

function countWords(list: HitList): string {
  if (list.state !== "ready" || list.hits.length === 0) return "";
  const count = formatCount(list.hits.length);
  if (list.capped) return `${count} traces, and more that are not shown (the list ends at ${formatCount(HITS_MAX)}): narrow the query`;
  return list.hasMore ? `${count} traces so far, more below` : list.hits.length === 1 ? "1 trace, that is all" : `${count} traces, that is all`;
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
