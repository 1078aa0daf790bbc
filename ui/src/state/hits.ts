/** The traces that a query finds: page by page as far as one scrolls, and kept up to date while live. */
import { type InfiniteData, infiniteQueryOptions, keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { fetchHits, follow } from "../api/client.ts";
import type { Arrived } from "../api/live.ts";
import type { Bounds } from "../api/search.ts";
import { unixNanosOfMillis } from "../base/time.ts";
import type { Hit, HitPage } from "../model/hit.ts";
import type { Order, TimeRange } from "../model/summary.ts";
import { askedAt } from "./clock.ts";

/** The first word of the keys under which pages are cached. */
export const HITS_KEY = "hits";
/** Rows of one request: some screens full, answered in milliseconds. */
export const PAGE_ROWS = 100;
/** Where paging stops: nobody reads on, and a narrower query serves better. Holds memory to some tens of MB. */
export const HITS_MAX = 20_000;
/** New matches that are kept for a reader who does not look at them; of more, the newest. */
const WAITING_MAX = 1_000;

/** Where a range lies now. The end of a relative one stays open: spans that arrive while the answer is made may be in it. */
export function boundsOf(range: TimeRange, nowMs: number): Bounds {
  switch (range.type) {
    case "last":
      return { start: unixNanosOfMillis(nowMs - range.ms), end: null };
    case "between":
      return { start: range.start, end: range.end };
  }
}

interface PageParam {
  readonly cursor: string | null;
  /** Null for the first page, which decides for all. */
  readonly bounds: Bounds | null;
}

interface BoundPage extends HitPage {
  readonly bounds: Bounds;
}

export type HitPages = InfiniteData<BoundPage, PageParam>;

export interface HitList {
  readonly hits: readonly Hit[];
  /** `first`: nothing to show yet. `failed`: nothing to show but `error`; an error beside rows leaves the state `ready`. */
  readonly state: "first" | "ready" | "failed";
  readonly error: Error | null;
  readonly missing: readonly string[];
  readonly cost: string;
  /** Whether rows of an earlier query are shown until the new ones come. */
  readonly stale: boolean;
  readonly fetching: boolean;
  readonly hasMore: boolean;
  readonly capped: boolean;
  readonly more: () => void;
  readonly refresh: () => void;
}

export interface HitsWanted {
  readonly query: string;
  readonly range: TimeRange;
  readonly order: Order;
}

const keyOf = ({ query, range, order }: HitsWanted): readonly unknown[] => [
  HITS_KEY,
  query,
  range.type === "last" ? range.ms : `${range.start}-${range.end}`,
  order,
];

/** The pages of a search, as they are asked for and kept. */
export function hitsQuery(wanted: HitsWanted) {
  const { query: text, range, order } = wanted;
  return infiniteQueryOptions({
    queryKey: keyOf(wanted),
    queryFn: async ({ pageParam, signal }): Promise<BoundPage> => {
      const bounds = pageParam.bounds ?? boundsOf(range, askedAt());
      return { ...(await fetchHits({ query: text, bounds, order, limit: PAGE_ROWS, cursor: pageParam.cursor }, signal)), bounds };
    },
    initialPageParam: { cursor: null, bounds: null } satisfies PageParam as PageParam,
    getNextPageParam: (last, pages): PageParam | undefined =>
      last.next === null || pages.length * PAGE_ROWS >= HITS_MAX ? undefined : { cursor: last.next, bounds: last.bounds },
    placeholderData: keepPreviousData,
    // Coming back from a trace finds the list as it was left; `refresh` and live mode are for newer rows.
    staleTime: 60_000,
  });
}

export function useHits(wanted: HitsWanted): HitList {
  const client = useQueryClient();
  const query = useInfiniteQuery(hitsQuery(wanted));

  // A query that fails leaves the rows of the one before, dimmed: an error is no reason to take away what is being read.
  const [kept, setKept] = useState(query.data);
  if (query.data && query.data !== kept) setKept(query.data);
  const isKept = !query.data && query.error !== null && kept !== undefined;
  const pages = (isKept ? kept : query.data)?.pages;
  const hits = useMemo(() => distinct(pages ?? []), [pages]);
  const lastPage = pages?.at(-1);
  return {
    hits,
    state: pages ? "ready" : query.error ? "failed" : "first",
    error: query.error,
    missing: useMemo(() => [...new Set((pages ?? []).flatMap((page) => page.missing))], [pages]),
    cost: pages?.[0]?.cost ?? "",
    stale: query.isPlaceholderData || isKept,
    fetching: query.isFetching,
    hasMore: query.hasNextPage && !isKept,
    capped: lastPage !== undefined && lastPage.next !== null && !query.hasNextPage,
    more: () => {
      if (query.hasNextPage && !query.isFetching) void query.fetchNextPage();
    },
    refresh: () => {
      // Only the first page is asked for again; the rest follows when it is scrolled to.
      client.setQueryData<HitPages>(keyOf(wanted), (data) => data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) });
      void query.refetch();
    },
  };
}

/** A trace that grew between two pages can be in both. */
function distinct(pages: readonly HitPage[]): readonly Hit[] {
  return [...new Map(pages.flatMap((page) => page.hits).map((hit) => [hit.id, hit])).values()];
}

export interface Live {
  /** Found since the list was read, and not shown in it yet. */
  readonly waiting: number;
  /** Whether a trace that is shown got more spans. */
  readonly grown: boolean;
  /** Whether more came than is shown. */
  readonly isCut: boolean;
  /** Takes them in. */
  readonly show: () => void;
  /** Why nothing comes at the moment. */
  readonly error: Error | null;
}

/** What a live search has brought; `of` names the search. */
interface Brought {
  readonly of: string;
  readonly hits: readonly Hit[];
  readonly isCut: boolean;
  readonly error: Error | null;
}

/**
 * Follows the search: the server sends new matches as they come. While `isOpen` they go into the list by themselves; else
 * they wait, because rows must not move under a reader.
 */
export function useLive(wanted: HitsWanted, isLive: boolean, known: readonly Hit[]): Live {
  const { query: text, range, order } = wanted;
  const client = useQueryClient();
  const key = keyOf(wanted).join(" ");
  const [brought, setBrought] = useState<Brought | null>(null);
  const [start, end] = range.type === "last" ? [range.ms, null] : [range.start, range.end];
  useEffect(() => {
    if (!isLive) return;
    const leaving = new AbortController();
    const tell = (change: (before: Brought) => Brought): void =>
      setBrought((before) => change(before?.of === key ? before : { of: key, hits: [], isCut: false, error: null }));
    const bounds = (): Bounds => ({ start: typeof start === "number" ? unixNanosOfMillis(Date.now() - start) : start, end: null });
    const isWithin = (hit: Hit): boolean => end === null || hit.start < end;
    void keepFollowing(text, bounds, leaving.signal, {
      onArrived: ({ hits, isCut }) => tell((before) => ({ of: key, ...latest(hits.filter(isWithin), before, isCut), error: null })),
      onError: (error) => tell((before) => ({ ...before, error })),
    });
    return () => leaving.abort();
  }, [isLive, key, text, start, end]);

  const fresh = isLive && brought?.of === key ? brought : null;
  const waiting = useMemo(() => (fresh ? freshAmong(fresh.hits, known) : []), [fresh, known]);
  const show = (): void => {
    if (!fresh) return;
    client.setQueryData<HitPages>(keyOf(wanted), (data) => data && { ...data, pages: merged(data.pages, fresh.hits, order) });
  };
  return { waiting: waiting.length, grown: fresh ? hasGrown(fresh.hits, known) : false, isCut: fresh?.isCut ?? false, show, error: fresh?.error ?? null };
}

/** Between two tries to follow: as long as a server takes to start. */
const AGAIN_MS = 3_000;

interface Followed {
  readonly onArrived: (arrived: Arrived) => void;
  readonly onError: (error: Error) => void;
}

async function keepFollowing(query: string, bounds: () => Bounds, signal: AbortSignal, { onArrived, onError }: Followed): Promise<void> {
  while (!signal.aborted) {
    try {
      await follow(query, bounds(), signal, onArrived);
      onError(new Error("the server ended it"));
    } catch (cause) {
      if (signal.aborted) return;
      onError(cause instanceof Error ? cause : new Error("it broke off"));
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** What came last, with what came before it as far as it is kept. */
function latest(hits: readonly Hit[], before: Brought, isCut: boolean): Pick<Brought, "hits" | "isCut"> {
  const now = new Set(hits.map(({ id }) => id));
  const all = [...hits, ...before.hits.filter(({ id }) => !now.has(id))];
  return { hits: all.slice(0, WAITING_MAX), isCut: before.isCut || isCut || all.length > WAITING_MAX };
}

function freshAmong(found: readonly Hit[], known: readonly Hit[]): readonly Hit[] {
  const ids = new Set(known.map(({ id }) => id));
  return found.filter(({ id }) => !ids.has(id));
}

/** Whether a trace that is shown got more spans. */
function hasGrown(found: readonly Hit[], known: readonly Hit[]): boolean {
  const spans = new Map(known.map((hit) => [hit.id, hit.spans]));
  return found.some(({ id, spans: now }) => (spans.get(id) ?? now) !== now);
}

/** What is new goes into the first page; what grew is renewed where it stands. */
export function merged<Page extends HitPage>(pages: readonly Page[], found: readonly Hit[], order: Order): Page[] {
  const renewed = new Map(found.map((hit) => [hit.id, hit]));
  const known = new Set(pages.flatMap((page) => page.hits.map(({ id }) => id)));
  const before = (a: Hit, b: Hit): number => (order === "slowest" ? b.duration - a.duration : a.start < b.start ? 1 : a.start > b.start ? -1 : 0);
  return pages.map((page, i) => {
    const hits = page.hits.map((hit) => renewed.get(hit.id) ?? hit);
    return i > 0 ? { ...page, hits } : { ...page, hits: [...found.filter(({ id }) => !known.has(id)), ...hits].sort(before).slice(0, HITS_MAX) };
  });
}
