/** A whole trace as read by id: its spans in no particular order, and what the server says is missing. */
import type { TraceId } from "../base/ids.ts";
import type { Duration, UnixNanos } from "../base/time.ts";
import type { Span } from "./span.ts";

export interface Trace {
  readonly id: TraceId;
  /** The earliest start of its spans: what all offsets count from. */
  readonly start: UnixNanos;
  /** From the earliest start to the latest end. Never negative. */
  readonly duration: Duration;
  readonly spans: readonly Span[];
  /** Whether attributes, events, links and scopes are not here: only what is drawn. */
  readonly isSkeleton: boolean;
  /** In words: what could not be read (a block that is damaged, a store that does not answer). Empty when whole. */
  readonly missing: readonly string[];
}

export interface ServiceCount {
  readonly name: string;
  readonly spans: number;
  readonly errors: number;
}

/** The services of `spans`, most spans first, equal ones by name. */
export function countServices(spans: readonly Span[]): readonly ServiceCount[] {
  const counts = new Map<string, { name: string; spans: number; errors: number }>();
  for (const span of spans) {
    const name = span.resource.service;
    let count = counts.get(name);
    if (!count) counts.set(name, (count = { name, spans: 0, errors: 0 }));
    count.spans += 1;
    if (span.status.code === "error") count.errors += 1;
  }
  return [...counts.values()].sort((a, b) => b.spans - a.spans || (a.name < b.name ? -1 : 1));
}
