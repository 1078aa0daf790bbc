/** The server's data about traces as the views use it: cached, shared, refetched; never copied into a store. */
import { keepPreviousData, QueryClient, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import {
  ApiError,
  fetchAlike,
  fetchAnalysis,
  fetchAttributes,
  fetchComparison,
  fetchExtent,
  fetchMatches,
  fetchOperations,
  fetchServices,
  fetchSkeleton,
  fetchValues,
  fetchWhole,
} from "../api/client.ts";
import type { TraceSource } from "../api/source.ts";
import type { TraceId } from "../base/ids.ts";
import type { TraceSummary } from "../model/summary.ts";
import type { Trace } from "../model/trace.ts";
import { assignSlots, type SlotOf } from "../trace/colours.ts";
import { HITS_KEY, type HitPages } from "./hits.ts";

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What the server refused it will refuse again; only silence is worth a second try.
        retry: (failures, error) => failures < 1 && !(error instanceof ApiError && error.status >= 400),
        retryDelay: 500,
        refetchOnWindowFocus: false,
        staleTime: 10_000,
      },
    },
  });
}

const servicesQuery = queryOptions({ queryKey: ["services"], queryFn: ({ signal }) => fetchServices(signal), staleTime: 30_000 });

export const useServices = () => useQuery(servicesQuery);

export function useOperations(service: string | null) {
  return useQuery({
    queryKey: ["operations", service],
    queryFn: ({ signal }) => (service === null ? [] : fetchOperations(service, signal)),
    enabled: service !== null,
    staleTime: 30_000,
  });
}

/** Names of attributes, asked for when somebody is about to choose one. */
export function useAttributes(isWanted: boolean) {
  return useQuery({ queryKey: ["attributes"], queryFn: ({ signal }) => fetchAttributes(signal), enabled: isWanted, staleTime: 60_000 });
}

export function useValues(field: string) {
  return useQuery({
    queryKey: ["values", field],
    queryFn: ({ signal }) => fetchValues(field, signal),
    enabled: field !== "",
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

export interface TraceRead {
  /** Enough to draw; null until it is here. */
  readonly trace: Trace | null;
  /** The same with all that its spans say; comes after it. */
  readonly whole: Trace | null;
  readonly error: Error | null;
  readonly refresh: () => void;
}

/**
 * The skeleton of a trace, and then the whole of it. One way for all traces, whatever their size: of a small one both are
 * here within some milliseconds, and how large it is nobody knows before.
 */
export function useTrace(id: TraceId): TraceRead {
  // What comes is never the same again, and finding that out of 50,000 spans takes longer than reading them.
  const shared = { staleTime: 60_000, structuralSharing: false } as const;
  const skeleton = useQuery({ queryKey: ["skeleton", id], queryFn: ({ signal }) => fetchSkeleton(id, signal), ...shared });
  const { data } = skeleton;
  const whole = useQuery({
    queryKey: ["trace", id, skeleton.dataUpdatedAt],
    queryFn: ({ signal }) => (data ? fetchWhole(data, signal) : null),
    enabled: data !== undefined && data.spans.length > 0,
    ...shared,
  });
  return {
    trace: data ?? null,
    whole: whole.data ?? null,
    error: skeleton.error ?? whole.error,
    refresh: () => void (whole.isError ? whole.refetch() : skeleton.refetch()),
  };
}

/** What the server says about where the time went; while `skew` changes, the old answer stays. */
export function useAnalysis(source: TraceSource, skew: boolean) {
  return useQuery({
    queryKey: ["analysis", source.key, skew],
    queryFn: ({ signal }) => fetchAnalysis(source, skew, signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    structuralSharing: false,
  });
}

/** The spans of a trace that TraceQL matches; an empty query asks nothing. */
export function useMatches(source: TraceSource, query: string) {
  return useQuery({
    queryKey: ["matches", source.key, query],
    queryFn: ({ signal }) => fetchMatches(source, query, signal),
    enabled: query !== "",
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

/** From when to when there are spans. */
export function useExtent(isWanted: boolean) {
  return useQuery({ queryKey: ["extent"], queryFn: ({ signal }) => fetchExtent(signal), enabled: isWanted, staleTime: 30_000 });
}

/** Two traces laid over each other; null for `right` asks nothing. */
export function useComparison(left: TraceSource, right: TraceSource | null) {
  return useQuery({
    queryKey: ["comparison", left.key, right?.key],
    queryFn: ({ signal }) => (right === null ? null : fetchComparison(left, right, signal)),
    enabled: right !== null,
    staleTime: 60_000,
  });
}

/** Enough to choose from, also when the trace itself and traces that only pass through are among them. */
const ALIKE_ROWS = 100;

/** Traces that began with the same operation; nothing is asked while the operation is not known. */
export function useAlike(service: string | null, operation: string | null) {
  return useQuery({
    queryKey: ["alike", service, operation],
    queryFn: async ({ signal }) => (await fetchAlike(service ?? "", operation ?? "", ALIKE_ROWS, signal)).hits,
    enabled: service !== null && operation !== null,
    staleTime: 60_000,
  });
}

/** What a list already told of the trace, for showing its head before the trace itself is here. */
export function useKnownSummary(id: TraceId): TraceSummary | null {
  const client = useQueryClient();
  for (const [, data] of client.getQueriesData<HitPages>({ queryKey: [HITS_KEY] })) {
    for (const page of data?.pages ?? []) {
      const found = page.hits.find((trace) => trace.id === id);
      if (found) return found;
    }
  }
  return null;
}

/** Colour slots over all services the server knows, so that they agree between traces and readers. */
export function useSlots(): SlotOf {
  const { data } = useServices();
  return useMemo(() => assignSlots((data ?? []).map((service) => service.name)), [data]);
}
