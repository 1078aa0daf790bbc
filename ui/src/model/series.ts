/** What a metrics query answers: labelled values over time. */

/** 64-bit integers stay exact. */
export type LabelValue = string | number | bigint | boolean;

export interface Label {
  readonly key: string;
  readonly value: LabelValue;
}

export interface Point {
  /** Milliseconds since 1970: the right end of what the value was counted over. */
  readonly at: number;
  readonly value: number;
}

export interface Series {
  readonly labels: readonly Label[];
  readonly points: readonly Point[];
}

export const labelOf = (series: Series, key: string): LabelValue | undefined => series.labels.find((label) => label.key === key)?.value;
