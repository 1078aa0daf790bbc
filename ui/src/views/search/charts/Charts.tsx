/** Rate, errors and durations over the chosen time, on one axis. Drag over the rate to look closer, over the durations to select. */
import { useCallback } from "react";
import { formatClockMark, formatCount, formatScaleMark, formatDuration, zoneName } from "../../../base/format.ts";
import { duration, unixNanosOfMillis } from "../../../base/time.ts";
import type { TimeRange } from "../../../model/summary.ts";
import { type Bar, rateWords, timeMarks } from "../../../query/chart.ts";
import type { Selection } from "../../../query/compose.ts";
import { boxBetween, boxRect, durationAt, durationMarks, durationsOf, type Heatmap, msAt, type Plot, slowestBox, type Span, xOf, yOf } from "../../../query/heatmap.ts";
import { type Charts as ChartData, useCharts } from "../../../state/charts.ts";
import { useKeys } from "../../../state/keys.ts";
import { Button, classes } from "../../../widgets/controls.tsx";
import { Canvas } from "../../../widgets/Canvas.tsx";
import { usePalette } from "../../../widgets/palette.ts";
import { useSize } from "../../../widgets/useSize.ts";
import styles from "./Charts.module.css";
import { paintBars, paintHeatmap } from "./paint.ts";
import { useDrag } from "./useDrag.ts";

interface ChartsProps {
  readonly query: string;
  readonly range: TimeRange;
  readonly selection: Selection | null;
  readonly isLive: boolean;
  readonly onSelect: (selection: Selection | null) => void;
  readonly onRange: (range: TimeRange) => void;
}

/** As the style sheet has them. */
const RATE_PX = 34;
const HEAT_PX = 96;
const MARKS_APART_PX = 17;

export function Charts(props: ChartsProps) {
  const { query, range, isLive, selection, onSelect } = props;
  const [ref, { width }] = useSize<HTMLDivElement>();
  const charts = useCharts(query, range, width, isLive, true);
  const slowest = charts.heatmap && slowestBox(charts.heatmap);
  useKeys({
    d: () => {
      if (slowest) onSelect({ type: "box", box: slowest });
    },
  });
  return (
    <section className={styles.charts} aria-label="rate, errors and durations">
      <div ref={ref} className={classes(styles.area, charts.stale && styles.stale)}>
        {width > 0 && <Plots {...props} charts={charts} width={width} />}
      </div>
      <div className={styles.asks}>
        <span>what is different about</span>
        <Button look="bare" className={styles.ask} aria-pressed={selection?.type === "box"} disabled={!slowest} onClick={() => slowest && onSelect({ type: "box", box: slowest })}>
          the slowest
        </Button>
        <Button look="bare" className={styles.ask} aria-pressed={selection?.type === "errors"} onClick={() => onSelect({ type: "errors" })}>
          the failed
        </Button>
        <span>or drag a box over the durations</span>
      </div>
    </section>
  );
}

type PlotsProps = ChartsProps & { readonly charts: ChartData; readonly width: number };

function Plots({ query, selection, charts, width, onSelect, onRange }: PlotsProps) {
  const palette = usePalette();
  const { heatmap, bars, error } = charts;
  const heat: Plot = { width, height: HEAT_PX };
  const rate: Plot = { width, height: RATE_PX };
  const paintHeat = useCallback((context: CanvasRenderingContext2D) => heatmap && paintHeatmap(context, heatmap, { width, height: HEAT_PX }, palette), [heatmap, width, palette]);
  const paintRate = useCallback(
    (context: CanvasRenderingContext2D) => heatmap && paintBars(context, bars, heatmap.time, heatmap.stepMs, { width, height: RATE_PX }, palette),
    [heatmap, bars, width, palette],
  );
  const overHeat = useDrag(
    ({ from, to }) => heatmap && onSelect({ type: "box", box: boxBetween(heatmap, heat, from, to) }),
    () => selection && onSelect(null),
  );
  const overRate = useDrag(
    ({ from, to }) => heatmap && onRange(rangeBetween(heatmap, rate, from.x, to.x)),
    () => undefined,
  );
  if (error && !heatmap) return <p className={styles.failed}>no charts: {error.message}</p>;
  if (!heatmap) return null;
  const drawn = overHeat.drag && boxBetween(heatmap, heat, overHeat.drag.from, overHeat.drag.to);
  const box = drawn ?? (selection?.type === "box" ? selection.box : null);
  const at = overHeat.pointer ?? overRate.pointer;
  const frame = box && boxRect(heatmap, heat, box);
  return (
    <>
      <p className={styles.words}>
        {error ? (
          <span className={styles.failedWords}>not up to date: {error.message}</span>
        ) : (
          <Words heatmap={heatmap} bars={bars} x={at?.x ?? null} y={overHeat.pointer?.y ?? null} plot={heat} ofRoots={query === ""} />
        )}
      </p>
      <div className={styles.rate} title="drag to look at a shorter time" {...overRate.handlers}>
        <Canvas width={width} height={RATE_PX} paint={paintRate} />
        {overRate.drag && <span className={styles.brush} style={{ left: Math.min(overRate.drag.from.x, overRate.drag.to.x), width: Math.abs(overRate.drag.to.x - overRate.drag.from.x) }} />}
        <span className={styles.most}>{rateWords(bars.reduce((max, bar) => Math.max(max, bar.rate), 0))}</span>
      </div>
      <div className={styles.heat} title="drag a box to select" {...overHeat.handlers}>
        <Canvas width={width} height={HEAT_PX} paint={paintHeat} />
        {durationMarks(heatmap, heat, MARKS_APART_PX).map((ns) => (
          <span key={ns} className={styles.duration} style={{ top: yOf(heatmap, heat, ns) }}>
            {formatScaleMark(ns)}
          </span>
        ))}
        {frame && <span className={classes(styles.box, drawn && styles.drawing)} style={{ left: frame.x, top: frame.y, width: frame.width, height: frame.height }} />}
        {heatmap.total === 0 && <span className={styles.nothing}>no spans in this time</span>}
      </div>
      {at && <span className={styles.cross} style={{ left: at.x }} />}
      <Axis time={heatmap.time} width={width} />
      <p className="aside">{summary(heatmap)}</p>
    </>
  );
}

/** Charts of shorter stretches say nothing. */
const SHORTEST_MS = 1_000;

function rangeBetween(map: Heatmap, plot: Plot, a: number, b: number): TimeRange {
  const [from, to] = [Math.min(a, b), Math.max(a, b)].map((x) => Math.round(msAt(map.time, plot, x))) as [number, number];
  return { type: "between", start: unixNanosOfMillis(from), end: unixNanosOfMillis(Math.max(to, from + SHORTEST_MS)) };
}

interface WordsProps {
  readonly heatmap: Heatmap;
  readonly bars: readonly Bar[];
  /** Where the pointer is; null for nowhere. */
  readonly x: number | null;
  readonly y: number | null;
  readonly plot: Plot;
  readonly ofRoots: boolean;
}

/** All of it, or what is under the pointer. */
function Words({ heatmap, bars, x, y, plot, ofRoots }: WordsProps) {
  const { time, stepMs } = heatmap;
  if (x === null) {
    const seconds = (time.to - time.from) / 1000;
    const [rate, errors] = [sumOf(bars, "rate"), sumOf(bars, "errors")].map((sum) => (sum * stepMs) / 1000 / seconds) as [number, number];
    return (
      <>
        <b>{rateWords(rate)}</b> {ofRoots ? "root spans" : "matching spans"} · <Errors rate={rate} errors={errors} />
      </>
    );
  }
  const at = Math.ceil(msAt(time, plot, x) / stepMs) * stepMs;
  const bar = bars.find((one) => one.at === at);
  const row = y === null ? undefined : heatmap.rows.findIndex(({ lower, upper }) => isWithin(durationAt(heatmap, plot, y), lower, upper));
  const count = heatmap.cells.find((cell) => cell.at === at && cell.row === row)?.count ?? 0;
  const bounds = row === undefined ? undefined : heatmap.rows[row];
  return (
    <>
      {formatClockMark(at - stepMs, 1)} – {formatClockMark(at, 1)} · <b>{rateWords(bar?.rate ?? 0)}</b> · <Errors rate={bar?.rate ?? 0} errors={bar?.errors ?? 0} />
      {bounds && (
        <>
          {" "}
          · {formatDuration(bounds.lower)} – {formatDuration(bounds.upper)}: <b>{formatCount(count)}</b>
        </>
      )}
    </>
  );
}

const isWithin = (ns: number, lower: number, upper: number): boolean => ns >= lower && ns <= upper;
const sumOf = (bars: readonly Bar[], key: "rate" | "errors"): number => bars.reduce((sum, bar) => sum + bar[key], 0);

function Errors({ rate, errors }: { readonly rate: number; readonly errors: number }) {
  if (errors === 0) return <span>no errors</span>;
  const share = (errors / rate) * 100;
  return (
    <span className={styles.errors}>
      {rateWords(errors)} errors ({share < 0.1 ? "<0.1" : share.toFixed(share < 10 ? 1 : 0)} %)
    </span>
  );
}

/** Room for the zone at the right end, and for the mark before it. */
const ZONE_PX = 80;

function Axis({ time, width }: { readonly time: Span; readonly width: number }) {
  const marks = timeMarks(time, width, -new Date(time.to).getTimezoneOffset() * 60_000);
  const stepMs = (marks[1] ?? time.to) - (marks[0] ?? time.from);
  const plot: Plot = { width, height: 0 };
  return (
    <div className={styles.axis} aria-hidden="true">
      {marks.filter((at) => xOf(time, plot, at) < width - ZONE_PX).map((at) => (
        <span key={at} style={{ left: xOf(time, plot, at) }}>
          {formatClockMark(at, stepMs)}
        </span>
      ))}
      <span className={styles.zone}>{zoneName(new Date(time.to))}</span>
    </div>
  );
}

function summary(map: Heatmap): string {
  const { low, high } = durationsOf(map);
  const slow = slowestBox(map);
  if (!slow) return "no durations to show";
  return `${formatCount(map.total)} spans between ${formatDuration(duration(low))} and ${formatDuration(duration(high))}; the slowest above ${formatDuration(slow.min)}`;
}

