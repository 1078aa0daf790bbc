/** Two traces laid over each other: a tree of the union of their operations by path. */
import type { Duration } from "../base/time.ts";

export type Change = "same" | "missing" | "extra" | "slower" | "faster";

/** The spans of one trace in a node. */
export interface Side {
  readonly count: number;
  readonly errors: number;
  readonly total: Duration;
  readonly self: Duration;
  readonly critical: Duration;
}

export interface ComparisonNode {
  readonly service: string;
  readonly name: string;
  /** Index of the parent in the list; -1 for roots. */
  readonly parent: number;
  /** Nodes below; they are the next ones in the list. */
  readonly descendants: number;
  readonly left: Side;
  readonly right: Side;
  readonly change: Change;
  /** Right minus left. */
  readonly totalChange: Duration;
  readonly criticalChange: Duration;
}

export interface Comparison {
  /** What changed most, in a line. */
  readonly text: string;
  readonly left: Duration;
  readonly right: Duration;
  /** In pre-order. */
  readonly nodes: readonly ComparisonNode[];
  readonly missing: readonly string[];
}
