/** The server's data as the views use it: cached, shared, refetched; never copied into a store. Of one trace: `traces.ts`. */
import { keepPreviousData, QueryClient, queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import {
  ApiError,
  fetchAlike,
  fetchAttributes,
  fetchExtent,
  fetchOperations,
  fetchServices,
  fetchValues,
} from "../api/client.ts";
import type { TraceId } from "../base/ids.ts";
import type { TraceSummary } from "../model/summary.ts";
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

export const servicesQuery = queryOptions({ queryKey: ["services"], queryFn: ({ signal }) => fetchServices(signal), staleTime: 30_000 });

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

/** From when to when there are spans. */
export function useExtent(isWanted: boolean) {
  return useQuery({ queryKey: ["extent"], queryFn: ({ signal }) => fetchExtent(signal), enabled: isWanted, staleTime: 30_000 });
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
