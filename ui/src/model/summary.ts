/** One trace in a list, and what lists are ordered and bounded by. */
import type { TraceId } from "../base/ids.ts";
import type { Duration, UnixNanos } from "../base/time.ts";
import type { ServiceCount } from "./trace.ts";

export interface TraceSummary {
  readonly id: TraceId;
  /** Null while (or because) no root is among the spans. */
  readonly root: { readonly service: string; readonly name: string } | null;
  readonly start: UnixNanos;
  readonly duration: Duration;
  readonly spans: number;
  readonly errors: number;
  /** Every service that takes part; sorted by name. */
  readonly services: readonly ServiceCount[];
  /** Known or feared to be a piece of the trace. */
  readonly partial: boolean;
}

export type Order = "newest" | "slowest";

/** A stretch of time to list: the last so many milliseconds before the question, or two instants, either one open. */
export type TimeRange =
  | { readonly type: "last"; readonly ms: number }
  | { readonly type: "between"; readonly start: UnixNanos | null; readonly end: UnixNanos | null };

export interface ServiceEntry {
  readonly name: string;
  readonly spans: number;
  readonly errors: number;
}

export interface OperationEntry {
  readonly name: string;
  readonly spans: number;
  /** How many of its spans began a trace. */
  readonly roots: number;
}
