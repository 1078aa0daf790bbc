/** Series of a metrics query as lines: scale, points in pixels, names and numbers. */
import { formatDuration } from "../base/format.ts";
import { niceCeil } from "../base/marks.ts";
import { duration, NS_PER_S } from "../base/time.ts";
import type { Label, Series } from "../model/series.ts";
import { type Plot, type Span, xOf } from "./heatmap.ts";

export interface Line {
  /** What tells it from the others: `error · cart`, or the name of what is measured. */
  readonly name: string;
  readonly labels: readonly Label[];
  readonly points: readonly { readonly at: number; readonly value: number }[];
  readonly mean: number;
  readonly most: number;
  readonly last: number;
}

/** The largest on average first. */
export function linesOf(series: readonly Series[]): readonly Line[] {
  const shared = sharedKeys(series);
  const lines = series.map(({ labels, points }): Line => {
    const told = labels.filter(({ key }) => !shared.has(key));
    const sorted = [...points].sort((a, b) => a.at - b.at);
    const sum = sorted.reduce((all, { value }) => all + value, 0);
    return {
      name: (told.length > 0 ? told : labels).map(({ value }) => String(value)).join(" · ") || "all",
      labels,
      points: sorted,
      mean: sorted.length === 0 ? 0 : sum / sorted.length,
      most: sorted.reduce((max, { value }) => Math.max(max, value), 0),
      last: sorted.at(-1)?.value ?? 0,
    };
  });
  return lines.sort((a, b) => b.mean - a.mean || (a.name < b.name ? -1 : 1));
}

/** Labels that are the same everywhere tell nothing. */
function sharedKeys(series: readonly Series[]): ReadonlySet<string> {
  const values = new Map<string, Set<string>>();
  for (const { labels } of series) {
    for (const { key, value } of labels) values.set(key, (values.get(key) ?? new Set()).add(String(value)));
  }
  return new Set([...values].filter(([, seen]) => seen.size === 1).map(([key]) => key));
}

/** The top of the axis: a round number that nothing exceeds. */
export const ceilingOf = (lines: readonly Line[]): number => niceCeil(lines.reduce((max, { most }) => Math.max(max, most), 0));

/** Strokes of a line: a gap in time is a gap in the line. Points are in the middle of what they count. */
export function strokesOf(line: Line, time: Span, stepMs: number, ceiling: number, plot: Plot): readonly (readonly { readonly x: number; readonly y: number }[])[] {
  const strokes: { x: number; y: number }[][] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const { at, value } of line.points) {
    if (at <= time.from || at - stepMs >= time.to || !Number.isFinite(value)) continue;
    if (at - before > stepMs * 1.5) strokes.push([]);
    strokes.at(-1)?.push({ x: xOf(time, plot, at - stepMs / 2), y: plot.height * (1 - Math.max(0, value) / ceiling) });
    before = at;
  }
  return strokes;
}

/** Measures a time: TraceQL gives it in seconds. */
const OF_DURATIONS = /\|\s*(quantile|avg|min|max|sum)_over_time\(\s*(duration|span:duration|traceDuration|trace:duration)\s*[,)]/;

/** How the values of a query's series are told: durations with their unit, all others bare. */
export function valueWords(query: string): (value: number) => string {
  return OF_DURATIONS.test(query) ? (seconds) => formatDuration(duration(seconds * NS_PER_S)) : numberWords;
}

/** Three digits, thousands parted, small ones as they are: `1,230`, `4.56`, `0.00123`. */
export function numberWords(x: number): string {
  if (x === 0 || !Number.isFinite(x)) return `${x}`;
  if (Math.abs(x) >= 1000) return Math.round(x).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return Number(x.toPrecision(3)).toString();
}
