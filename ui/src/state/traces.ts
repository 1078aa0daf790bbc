/** One trace, and what the server says about it: of those that it holds, and of those of files. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { fetchAnalysis, fetchComparison, fetchMatches, fetchSkeleton, fetchWhole } from "../api/client.ts";
import type { OpenedFile, Progress } from "../api/opened.ts";
import type { TraceSource } from "../api/source.ts";
import type { TraceId } from "../base/ids.ts";
import { turn } from "../base/turns.ts";
import type { Trace } from "../model/trace.ts";
import { filledTree, prepared, treeOf } from "../trace/prepared.ts";

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
  const skeleton = useQuery({ queryKey: ["skeleton", id], queryFn: async ({ signal }) => prepared(await fetchSkeleton(id, signal)), ...shared });
  const { data } = skeleton;
  const whole = useQuery({
    queryKey: ["trace", id, skeleton.dataUpdatedAt],
    queryFn: async ({ signal }) => {
      if (data === undefined) return null;
      const whole = await fetchWhole(data, signal);
      await turn();
      filledTree(treeOf(data), whole);
      return whole;
    },
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

export interface FileTraceRead {
  readonly trace: Trace | null;
  readonly progress: Progress;
  readonly error: Error | null;
}

/** A trace of a file, and how far it is until it is here. Nothing is read while there is no `source`. */
export function useFileTrace(file: OpenedFile | null, source: TraceSource | null): FileTraceRead {
  const [progress, setProgress] = useState<Progress>(null);
  const { data, error } = useQuery({
    queryKey: ["trace of file", source?.key],
    queryFn: async () => (file && source ? prepared(await file.read(source.id, setProgress)) : null),
    enabled: source !== null,
    staleTime: Infinity,
    structuralSharing: false,
  });
  return { trace: data ?? null, progress, error };
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
