/** What charts draw: the one query measured over its time, and one duration among its like. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchInstant, fetchSeries } from "../api/client.ts";
import { millisOf, type UnixNanos, unixNanosOfMillis } from "../base/time.ts";
import type { Series } from "../model/series.ts";
import type { TimeRange } from "../model/summary.ts";
import { partOf, writeQuery } from "../query/chips.ts";
import { type Bar, barsOf, stepFor } from "../query/chart.ts";
import { compareQuery, heatmapQuery, rateQuery, type Selection, splitQuery } from "../query/compose.ts";
import { type Difference, differenceOf } from "../query/difference.ts";
import { condition, fieldOf, text } from "../query/edit.ts";
import { type Heatmap, heatmapOf, type Span } from "../query/heatmap.ts";
import { type Rank, rankIn } from "../query/percentile.ts";

const LIVE_INTERVAL_MS = 6_000;

/** The stretch that `range` means now; null when it has no beginning. */
export function timeOf(range: TimeRange, nowMs: number): Span | null {
  if (range.type === "last") return { from: nowMs - range.ms, to: nowMs };
  if (range.start === null) return null;
  const [from, to] = [millisOf(range.start), range.end === null ? nowMs : millisOf(range.end)];
  return from < to ? { from, to } : null;
}

/** `range` with the beginning that charts need: that of the earliest span where it has none; null while that is not known. */
export function rangeOfCharts(range: TimeRange, earliest: UnixNanos | null): TimeRange | null {
  if (range.type === "last" || range.start !== null) return range;
  return earliest === null ? null : { ...range, start: earliest };
}

const rangeKey = (range: TimeRange): string | number => (range.type === "last" ? range.ms : `${range.start}-${range.end}`);

export interface Measured {
  readonly time: Span;
  readonly stepMs: number;
  readonly series: readonly Series[];
}

/** One metrics query over `range` in steps that suit `width` pixels; old series stay until new ones are here. */
function useMeasured(query: string, range: TimeRange, width: number, isLive: boolean, isWanted = true) {
  // Widths are taken by the hundred: dragging the window does not ask at every pixel.
  const columns = Math.ceil(width / 100) * 100;
  return useQuery({
    queryKey: ["measured", query, rangeKey(range), columns],
    queryFn: async ({ signal }): Promise<Measured | null> => {
      const time = timeOf(range, Date.now());
      if (time === null) return null;
      const stepMs = stepFor(time, columns);
      return { time, stepMs, series: await fetchSeries({ query, from: time.from, to: time.to, stepMs }, signal) };
    },
    enabled: isWanted && width > 0 && timeOf(range, Date.now()) !== null,
    refetchInterval: isLive ? LIVE_INTERVAL_MS : false,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

export interface Charts {
  readonly heatmap: Heatmap | null;
  readonly bars: readonly Bar[];
  readonly error: Error | null;
  /** Whether an older answer is shown. */
  readonly stale: boolean;
  readonly refresh: () => void;
}

export function useCharts(query: string, range: TimeRange, width: number, isLive: boolean, isWanted: boolean): Charts {
  const isPlain = !splitQuery(query).isMetrics;
  const heat = useMeasured(heatmapQuery(query), range, width, isLive, isWanted && isPlain);
  const rate = useMeasured(rateQuery(query), range, width, isLive, isWanted && isPlain);
  const heatmap = useMemo(() => (heat.data ? heatmapOf(heat.data.series, heat.data.time, heat.data.stepMs) : null), [heat.data]);
  const bars = useMemo(() => (rate.data ? barsOf(rate.data.series, rate.data.time, rate.data.stepMs) : []), [rate.data]);
  return {
    heatmap,
    bars,
    error: heat.error ?? rate.error,
    stale: heat.isPlaceholderData || rate.isPlaceholderData,
    refresh: () => {
      void heat.refetch();
      void rate.refetch();
    },
  };
}

/** The series of a metrics query itself. */
export function useSeries(query: string, range: TimeRange, width: number, isLive: boolean, isWanted: boolean) {
  return useMeasured(query, range, width, isLive, isWanted && splitQuery(query).isMetrics);
}

const STATUS: readonly string[] = ["status", "span:status"];
const NONE: readonly string[] = [];

/** What tells the selected spans from the others; an older answer stays until the new one is here. */
export function useDifference(query: string, range: TimeRange, selection: Selection | null) {
  const asked = selection === null ? "" : compareQuery(query, selection);
  const compared = useQuery({
    queryKey: ["difference", asked, rangeKey(range)],
    queryFn: ({ signal }) => {
      const time = timeOf(range, Date.now());
      return time === null ? null : fetchInstant({ query: asked, ...time }, signal);
    },
    enabled: selection !== null,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const { data } = compared;
  const except = selection?.type === "errors" ? STATUS : NONE;
  const difference = useMemo<Difference | null>(() => (data ? differenceOf(data, except) : null), [data, except]);
  return { difference, error: compared.error, stale: compared.isPlaceholderData, isFirst: compared.isPending, refresh: () => void compared.refetch() };
}

/** Half of the stretch of time in which spans are each other's peers. */
const PEERS_HALF_MS = 1_800_000;
const PEERS_COLUMNS = 20;
const PEERS_GRAIN_MS = 300_000;

/** Where a duration lies among the spans of the same operation within the hour around it; null until known, and when the server cannot tell. */
export function useRank(service: string, operation: string, at: UnixNanos, duration: number, isWanted: boolean): { readonly rank: Rank | null; readonly isPending: boolean } {
  const query = writeQuery({ type: "simple", parts: [condition(fieldOf("service"), "=", text(service)), condition(fieldOf("operation"), "=", text(operation))].map(partOf), tail: "" });
  // The same for all spans of a trace that lie within some minutes.
  const middle = Math.round(millisOf(at) / PEERS_GRAIN_MS) * PEERS_GRAIN_MS;
  const range: TimeRange = { type: "between", start: unixNanosOfMillis(middle - PEERS_HALF_MS), end: unixNanosOfMillis(middle + PEERS_HALF_MS) };
  const { data, isPlaceholderData, isPending } = useMeasured(heatmapQuery(query), range, PEERS_COLUMNS, false, isWanted);
  const rank = useMemo(() => (data && !isPlaceholderData ? rankIn(heatmapOf(data.series, data.time, data.stepMs), duration) : null), [data, isPlaceholderData, duration]);
  return { rank, isPending: isPending || isPlaceholderData };
}
