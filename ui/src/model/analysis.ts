/** What the server says about where the time of a trace went. Spans are named by their index in `columns`. */
import type { SpanId } from "../base/ids.ts";
import type { Duration, Offset, UnixNanos } from "../base/time.ts";

/** A stretch of one span's time. */
export interface Section {
  readonly span: number;
  readonly start: Offset;
  readonly end: Offset;
}

export type PartKind = "work" | "wait" | "network" | "unexplained";

/** A part of the critical path of the main root. */
export interface Part {
  readonly kind: PartKind;
  /** Where, in words. */
  readonly place: string;
  readonly critical: Duration;
  /** Of the main root, 0 to 1. */
  readonly share: number;
  readonly spanCount: number;
  /** The span that had most of it. */
  readonly span: number;
}

export interface Finding {
  /** A name such as `retries`; a newer server may know more of them than this page. */
  readonly pattern: string;
  /** The first thousand of the spans that show it. */
  readonly spans: readonly number[];
  readonly spanCount: number;
  /** Time on the critical path that would be saved at most; zero where it is not about time. */
  readonly atStake: Duration;
  readonly share: number;
  readonly headline: string;
  readonly sentence: string;
  readonly advice: string;
}

/** A value for each span, all equally long. */
export interface SpanColumns {
  readonly id: readonly SpanId[];
  /** What correction of clocks added to start and end. */
  readonly shift: Float64Array;
  /** Time in which no child ran that the span waited for. */
  readonly self: Float64Array;
  /** Own time on the critical path. */
  readonly critical: Float64Array;
  /** Self time of a client whose server is below. */
  readonly gap: Float64Array;
  /** Own time on the critical path about which nothing is recorded. */
  readonly dark: Float64Array;
  /** 1 where nobody waited for the span. */
  readonly detached: Uint8Array;
}

export interface Analysis {
  /** What its offsets count from: the earliest recorded start. */
  readonly start: UnixNanos;
  /** The earliest start after correction of clocks, as an offset; mostly zero. */
  readonly earliest: Offset;
  /** The latest end after correction of clocks. */
  readonly latest: Offset;
  /** The root that shares are of. */
  readonly mainRoot: number | null;
  /** One line; empty when there is nothing to tell. */
  readonly text: string;
  readonly parts: readonly Part[];
  /** Most time at stake first. */
  readonly findings: readonly Finding[];
  /** How many more findings there are, of less time at stake. */
  readonly findingsLeftOut: number;
  /** The critical paths of all roots. */
  readonly path: readonly Section[];
  /** Stretches of the path about which nothing is recorded. */
  readonly dark: readonly Section[];
  readonly columns: SpanColumns;
}
