/** The server's data as the views use it: cached, shared, refetched; never copied into a store. */
import {
  type InfiniteData,
  keepPreviousData,
  QueryClient,
  queryOptions,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useMemo } from "react";
import { ApiError, fetchAnalysis, fetchComparison, fetchOperations, fetchServices, fetchTrace, fetchTraces } from "../api/client.ts";
import { type Bounds, boundsOf } from "../api/list.ts";
import type { TraceId } from "../base/ids.ts";
import type { TraceFilter, TracePage, TraceSummary } from "../model/summary.ts";
import { assignSlots, type SlotOf } from "../trace/colours.ts";
import { searchFromFilter } from "./list_url.ts";

/** Rows of one request: some screens full, answered in milliseconds. */
const PAGE_ROWS = 100;
/** Where paging stops: nobody reads on, and a narrower filter serves better. Holds memory to some tens of MB. */
export const LIST_ROWS_MAX = 20_000;

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

interface PageParam {
  readonly cursor: string | null;
  /** Null for the first page, which decides for all. */
  readonly bounds: Bounds | null;
}

interface BoundPage extends TracePage {
  readonly bounds: Bounds;
}

type Pages = InfiniteData<BoundPage, PageParam>;

const tracesKey = (filter: TraceFilter): readonly unknown[] => ["traces", searchFromFilter(filter)];

export interface TraceList {
  readonly traces: readonly TraceSummary[];
  /** `first`: nothing to show yet. `failed`: nothing to show but `error`; an error beside rows leaves the state `ready`. */
  readonly state: "first" | "ready" | "failed";
  readonly error: Error | null;
  readonly missing: readonly string[];
  /** Whether rows of an earlier filter are shown until the new ones come. */
  readonly stale: boolean;
  readonly fetching: boolean;
  readonly hasMore: boolean;
  readonly capped: boolean;
  readonly more: () => void;
  readonly refresh: () => void;
}

/** The traces that `filter` lets through, page by page. */
export function useTraceList(filter: TraceFilter): TraceList {
  const client = useQueryClient();
  const query = useInfiniteQuery({
    queryKey: tracesKey(filter),
    queryFn: async ({ pageParam, signal }): Promise<BoundPage> => {
      const bounds = pageParam.bounds ?? boundsOf(filter, Date.now());
      return { ...(await fetchTraces(filter, bounds, PAGE_ROWS, pageParam.cursor, signal)), bounds };
    },
    initialPageParam: { cursor: null, bounds: null } satisfies PageParam as PageParam,
    getNextPageParam: (last, pages): PageParam | undefined =>
      last.next === null || pages.length * PAGE_ROWS >= LIST_ROWS_MAX ? undefined : { cursor: last.next, bounds: last.bounds },
    placeholderData: keepPreviousData,
    // Coming back from a trace finds the list as it was left; `refresh` and live mode are for newer rows.
    staleTime: 60_000,
  });

  const pages = query.data?.pages;
  const traces = useMemo(() => distinct(pages ?? []), [pages]);
  const lastPage = pages?.at(-1);
  return {
    traces,
    state: query.data ? "ready" : query.error ? "failed" : "first",
    error: query.error,
    missing: useMemo(() => [...new Set((pages ?? []).flatMap((page) => page.missing))], [pages]),
    stale: query.isPlaceholderData,
    fetching: query.isFetching,
    hasMore: query.hasNextPage,
    capped: lastPage !== undefined && lastPage.next !== null && !query.hasNextPage,
    more: () => {
      if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
    },
    refresh: () => {
      // Only the first page is asked for again; the rest follows when it is scrolled to.
      client.setQueryData<Pages>(tracesKey(filter), (data) =>
        data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
      );
      void query.refetch();
    },
  };
}

/** A trace that grew between two pages can be in both. */
function distinct(pages: readonly TracePage[]): readonly TraceSummary[] {
  return [...new Map(pages.flatMap((page) => page.traces).map((trace) => [trace.id, trace])).values()];
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

export function useTrace(id: TraceId) {
  return useQuery({ queryKey: ["trace", id], queryFn: ({ signal }) => fetchTrace(id, signal), staleTime: 60_000 });
}

/** What the server says about where the time went; while `skew` changes, the old answer stays. */
export function useAnalysis(id: TraceId, skew: boolean) {
  return useQuery({
    queryKey: ["analysis", id, skew],
    queryFn: ({ signal }) => fetchAnalysis(id, skew, signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

/** Two traces laid over each other; null for `right` asks nothing. */
export function useComparison(left: TraceId, right: TraceId | null) {
  return useQuery({
    queryKey: ["comparison", left, right],
    queryFn: ({ signal }) => (right === null ? null : fetchComparison(left, right, signal)),
    enabled: right !== null,
    staleTime: 60_000,
  });
}

/** What a list already told of the trace, for showing its head before the trace itself is here. */
export function useKnownSummary(id: TraceId): TraceSummary | null {
  const client = useQueryClient();
  for (const [, data] of client.getQueriesData<Pages>({ queryKey: ["traces"] })) {
    for (const page of data?.pages ?? []) {
      const found = page.traces.find((trace) => trace.id === id);
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
