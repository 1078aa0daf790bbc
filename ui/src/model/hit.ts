/** A trace that a query found, and which of its spans matched. */
import type { SpanId } from "../base/ids.ts";
import type { Duration, UnixNanos } from "../base/time.ts";
import type { LabelValue } from "./series.ts";
import type { TraceSummary } from "./summary.ts";

export interface FoundAttribute {
  /** As written in the query. */
  readonly label: string;
  readonly value: LabelValue | readonly LabelValue[];
}

export interface MatchedSpan {
  readonly id: SpanId;
  readonly name: string;
  readonly service: string;
  readonly start: UnixNanos;
  readonly duration: Duration;
  /** What the query looked at. */
  readonly attributes: readonly FoundAttribute[];
}

export interface SpanSet {
  /** What the set was grouped by; empty without `by`. */
  readonly keys: readonly FoundAttribute[];
  readonly matched: number;
  /** The first of them. */
  readonly spans: readonly MatchedSpan[];
}

export interface Hit extends TraceSummary {
  /** Spans in all sets; 0 when every trace was asked for. */
  readonly matched: number;
  readonly sets: readonly SpanSet[];
}

export interface HitPage {
  readonly hits: readonly Hit[];
  /** Where the next page begins; null after the last. */
  readonly next: string | null;
  /** In words: what could not be read. */
  readonly missing: readonly string[];
  /** In words: what the answer cost; empty when unknown. */
  readonly cost: string;
}

/** A value as a reader sees it. */
export function valueWords(value: LabelValue | readonly LabelValue[]): string {
  return Array.isArray(value) ? `[${value.map(String).join(", ")}]` : String(value);
}
