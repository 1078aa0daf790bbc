/**
 * Durations over time as cells, and a rectangle drawn over them as times and durations.
 *
 *     10 s ┤ ░░        ▒▒        row = durations up to `upper`, each row as many times longer as the one below
 *      1 s ┤ ▒▒░░░░░░▒▒▓▓░░
 *     10ms ┤ ▓▓▓▓▓▓▓▓▓▓▓▓▓▓      column = one step of time, ending at its point
 *          └────────────────
 */
import { type Duration, duration, millisOf, NS_PER_S, unixNanosOfMillis } from "../base/time.ts";
import { labelOf, type Series } from "../model/series.ts";
import type { Box } from "./compose.ts";

/** The stretch of time a chart shows, in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Row {
  readonly lower: Duration;
  readonly upper: Duration;
}

export interface Cell {
  readonly at: number;
  readonly row: number;
  readonly count: number;
}

export interface Heatmap {
  readonly time: Span;
  readonly stepMs: number;
  /** Shortest first, without gaps. */
  readonly rows: readonly Row[];
  readonly cells: readonly Cell[];
  /** The largest count of a cell. */
  readonly most: number;
  readonly total: number;
}

/** Rows beyond this say nothing: twice as long sixty-four times is more than an age. */
const ROWS_MAX = 64;
const BUCKET = "__bucket";

export function heatmapOf(series: readonly Series[], time: Span, stepMs: number): Heatmap {
  const uppers = new Map<number, Series[]>();
  for (const one of series) {
    const upper = Number(labelOf(one, BUCKET) ?? Number.NaN) * NS_PER_S;
    if (!(upper > 0)) continue;
    const same = uppers.get(upper);
    if (same) same.push(one);
    else uppers.set(upper, [one]);
  }
  const rows = rowsBetween([...uppers.keys()].sort((a, b) => a - b));
  const cells: Cell[] = [];
  for (const [upper, members] of uppers) {
    const row = rows.findIndex((candidate) => Math.abs(candidate.upper / upper - 1) < 1e-6);
    for (const { at, value } of members.flatMap(({ points }) => points)) {
      if (row >= 0 && value > 0 && at > time.from && at - stepMs < time.to) cells.push({ at, row, count: value });
    }
  }
  const most = cells.reduce((max, cell) => Math.max(max, cell.count), 0);
  return { time, stepMs, rows, cells, most, total: cells.reduce((sum, cell) => sum + cell.count, 0) };
}

/** Rows for the buckets that have spans and for those between, which the server leaves out. */
function rowsBetween(uppers: readonly number[]): readonly Row[] {
  let ratio = 2;
  uppers.forEach((upper, i) => {
    const before = uppers[i - 1];
    if (before !== undefined) ratio = Math.min(ratio, upper / before);
  });
  const rows: Row[] = [];
  let lower = (uppers[0] ?? 0) / ratio;
  for (const upper of uppers) {
    const gap = Math.max(1, Math.round(Math.log(upper / lower) / Math.log(ratio)));
    for (let i = gap; i > 0 && rows.length < ROWS_MAX; i--) {
      const top = upper / ratio ** (i - 1);
      rows.push({ lower: duration(lower), upper: duration(top) });
      lower = top;
    }
  }
  return rows;
}

/** The place of the plot in CSS pixels; durations go up, so `y` counts from its top. */
export interface Plot {
  readonly width: number;
  readonly height: number;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const xOf = (time: Span, plot: Plot, ms: number): number => ((ms - time.from) / (time.to - time.from)) * plot.width;
export const msAt = (time: Span, plot: Plot, x: number): number => time.from + (Math.min(Math.max(x, 0), plot.width) / plot.width) * (time.to - time.from);

/** From the shortest to the longest duration that is drawn; a decade when there is nothing. */
export function durationsOf({ rows }: Heatmap): { readonly low: number; readonly high: number } {
  return { low: rows[0]?.lower ?? 1e6, high: rows.at(-1)?.upper ?? 1e7 };
}

export function yOf(map: Heatmap, plot: Plot, ns: number): number {
  const { low, high } = durationsOf(map);
  const share = Math.log(Math.max(ns, 1) / low) / Math.log(high / low);
  return plot.height * (1 - Math.min(Math.max(share, 0), 1));
}

export function durationAt(map: Heatmap, plot: Plot, y: number): Duration {
  const { low, high } = durationsOf(map);
  const share = 1 - Math.min(Math.max(y, 0), plot.height) / plot.height;
  return duration(low * (high / low) ** share);
}

export function rectOf(map: Heatmap, plot: Plot, cell: Cell): Rect {
  const { lower, upper } = map.rows[cell.row] ?? { lower: 0, upper: 0 };
  const left = Math.max(0, xOf(map.time, plot, cell.at - map.stepMs));
  const right = Math.min(plot.width, xOf(map.time, plot, cell.at));
  const top = yOf(map, plot, upper);
  return { x: left, y: top, width: right - left, height: yOf(map, plot, lower) - top };
}

/** From nothing to the most crowded cell as 0 to 1; by magnitude, since one crowded cell must not hide the slow ones. */
export const shade = (map: Heatmap, count: number): number => (map.most <= 0 ? 0 : Math.log1p(count) / Math.log1p(map.most));

export function boxRect(map: Heatmap, plot: Plot, box: Box): Rect {
  const [left, right] = [box.start, box.end].map((t) => Math.min(Math.max(xOf(map.time, plot, millisOf(t)), 0), plot.width)) as [number, number];
  const [bottom, top] = [yOf(map, plot, box.min), yOf(map, plot, box.max)];
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** Who draws up to an edge means all that lies there, which a hand misses by so much. */
const EDGE_PX = 3;
/** So that three digits of a bound are not within it. */
const ROUNDING = 1.006;

/** Two corners in pixels as times to the step's tenth and durations of three digits: what a person can read and repeat. */
export function boxBetween(map: Heatmap, plot: Plot, a: { readonly x: number; readonly y: number }, b: { readonly x: number; readonly y: number }): Box {
  const grain = Math.max(1, Math.round(map.stepMs / 10));
  const [start, end] = [Math.min(a.x, b.x), Math.max(a.x, b.x)].map((x) => Math.round(msAt(map.time, plot, x) / grain) * grain) as [number, number];
  const [top, bottom] = [Math.min(a.y, b.y), Math.max(a.y, b.y)];
  const { low, high } = durationsOf(map);
  const max = threeDigits(top <= EDGE_PX ? high * ROUNDING : durationAt(map, plot, top));
  const min = threeDigits(bottom >= plot.height - EDGE_PX ? low / ROUNDING : durationAt(map, plot, bottom));
  return { start: unixNanosOfMillis(start), end: unixNanosOfMillis(Math.max(end, start + grain)), min, max: max > min ? max : threeDigits(duration(min * 1.01 + 1)) };
}

export function threeDigits(ns: number): Duration {
  const magnitude = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(ns, 1))) - 2);
  // Rounded again: three digits times a power of ten is not exact in doubles.
  return duration(Math.round(Math.max(1, Math.round(ns / magnitude)) * magnitude));
}

/** The slowest twentieth of what is drawn, whenever it was: where one looks first. Null when there is nothing to part. */
export function slowestBox(map: Heatmap, share = 0.05): Box | null {
  if (map.total === 0 || map.rows.length < 2) return null;
  const counts = map.rows.map(() => 0);
  for (const { row, count } of map.cells) counts[row] = (counts[row] ?? 0) + count;
  let above = 0;
  let first = map.rows.length;
  while (first > 1 && (above === 0 || above + (counts[first - 1] ?? 0) <= map.total * share)) above += counts[--first] ?? 0;
  while (counts[first] === 0) first += 1;
  const { low, high } = { low: map.rows[first]?.lower ?? 0, high: durationsOf(map).high };
  return { start: unixNanosOfMillis(map.time.from), end: unixNanosOfMillis(map.time.to), min: threeDigits(low), max: threeDigits(high * 1.01) };
}

/** Durations to write beside the plot: whole decades, or as many of them as have room. */
export function durationMarks(map: Heatmap, plot: Plot, apart: number): readonly Duration[] {
  const { low, high } = durationsOf(map);
  const decades: Duration[] = [];
  for (let exponent = Math.ceil(Math.log10(low) - 1e-9); 10 ** exponent <= high * (1 + 1e-9); exponent++) decades.push(duration(10 ** exponent));
  const marks = decades.length > 1 ? decades : [duration(low), duration(high)];
  const room = plot.height / Math.max(1, Math.log10(high / low));
  const every = Math.max(1, Math.ceil(apart / room));
  return marks.filter((_, i) => i % every === 0);
}
