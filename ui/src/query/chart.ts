/** Rates over time as bars, and steps of time that suit a width. */
import { labelOf, type Series } from "../model/series.ts";
import type { Span } from "./heatmap.ts";

export interface Bar {
  /** The right end of its step, in milliseconds since 1970. */
  readonly at: number;
  /** Spans per second. */
  readonly rate: number;
  readonly errors: number;
}

/** Series by status become one bar for each step, oldest first. */
export function barsOf(series: readonly Series[], time: Span, stepMs: number): readonly Bar[] {
  const bars = new Map<number, { at: number; rate: number; errors: number }>();
  for (const one of series) {
    const isError = [labelOf(one, "status"), labelOf(one, "span:status")].includes("error");
    for (const { at, value } of one.points) {
      if (at <= time.from || at - stepMs >= time.to) continue;
      let bar = bars.get(at);
      if (!bar) bars.set(at, (bar = { at, rate: 0, errors: 0 }));
      bar.rate += value;
      if (isError) bar.errors += value;
    }
  }
  return [...bars.values()].sort((a, b) => a.at - b.at);
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
const COLUMN_PX = 9;
const COLUMNS_MAX = 160;

/** The step in milliseconds at which `width` pixels show `time` in columns wide enough to point at. */
export function stepFor(time: Span, width: number): number {
  const columns = Math.min(COLUMNS_MAX, Math.max(20, Math.floor(width / COLUMN_PX)));
  const least = (time.to - time.from) / 1000 / columns;
  return (STEPS_S.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400) * 1000;
}

/** `12.3/s`, `4.5/min`: whichever has a digit before the point. */
export function rateWords(perSecond: number): string {
  if (perSecond === 0) return "0/s";
  const [value, unit] = perSecond >= 0.95 ? [perSecond, "s"] : perSecond * 60 >= 0.95 ? [perSecond * 60, "min"] : [perSecond * 3600, "h"];
  const text = value >= 100 ? Math.round(value).toString() : value.toFixed(1).replace(/\.0$/, "");
  return `${text.replace(/\B(?=(\d{3})+(?!\d))/g, ",")}/${unit}`;
}

/** Twice the time around the same middle, but not beyond now. */
export function widened({ from, to }: Span, nowMs: number): Span {
  const half = (to - from) / 2;
  const end = Math.min(to + half, Math.max(nowMs, to));
  return { from: end - 4 * half, to: end };
}

const MARK_STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 2 * 86_400, 7 * 86_400];

/** Instants to write below the plot, at whole steps of the reader's clock. `zoneMs` is what their clock is ahead of UTC. */
export function timeMarks(time: Span, width: number, zoneMs: number): readonly number[] {
  const wanted = Math.max(2, Math.floor(width / 110));
  const least = (time.to - time.from) / 1000 / wanted;
  const step = (MARK_STEPS_S.find((one) => one >= least) ?? Math.ceil(least / 86_400) * 86_400) * 1000;
  const marks: number[] = [];
  for (let at = Math.ceil((time.from + zoneMs) / step) * step - zoneMs; at <= time.to; at += step) marks.push(at);
  return marks;
}
