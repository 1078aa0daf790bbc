/** The series of a metrics query: lines over time, and a table of what each is. */
import { useCallback, useMemo, useState } from "react";
import { formatClockMark } from "../../../base/format.ts";
import type { TimeRange } from "../../../model/summary.ts";
import { timeMarks } from "../../../query/chart.ts";
import { type Plot, xOf } from "../../../query/heatmap.ts";
import { ceilingOf, type Line, linesOf, strokesOf, valueWords } from "../../../query/lines.ts";
import { type Measured, useSeries } from "../../../state/charts.ts";
import { useSlots } from "../../../state/queries.ts";
import { Canvas } from "../../../widgets/Canvas.tsx";
import { classes } from "../../../widgets/controls.tsx";
import { usePalette } from "../../../widgets/palette.ts";
import { useSize } from "../../../widgets/useSize.ts";
import styles from "./Charts.module.css";

interface SeriesChartProps {
  readonly query: string;
  readonly range: TimeRange;
  readonly isLive: boolean;
}

/** As the style sheet has it. */
const PLOT_PX = 150;
/** More lines than this are a carpet; the table below names all of them. */
const LINES_MAX = 40;

export function SeriesChart({ query, range, isLive }: SeriesChartProps) {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const measured = useSeries(query, range, width, isLive, true);
  const lines = useMemo(() => (measured.data ? linesOf(measured.data.series) : []), [measured.data]);
  const words = useMemo(() => valueWords(query), [query]);
  const [pointed, setPointed] = useState<string | null>(null);
  return (
    <section className={styles.series} aria-label="series of the query">
      <div ref={ref} className={classes(styles.seriesArea, measured.isPlaceholderData && styles.stale)}>
        {measured.error && <p className={styles.failed}>no series: {measured.error.message}</p>}
        {measured.data && width > 0 && <LinePlot measured={measured.data} lines={lines} width={width} pointed={pointed} words={words} />}
        {measured.data && lines.length === 0 && <span className={styles.nothing}>no series in this time</span>}
      </div>
      <Legend lines={lines} words={words} onPoint={setPointed} />
    </section>
  );
}

type Words = (value: number) => string;

interface LinePlotProps {
  readonly measured: Measured;
  readonly lines: readonly Line[];
  readonly width: number;
  readonly pointed: string | null;
  readonly words: Words;
}

function LinePlot({ measured: { time, stepMs }, lines, width, pointed, words }: LinePlotProps) {
  const palette = usePalette();
  const slotOf = useSlots();
  const ceiling = ceilingOf(lines);
  const paint = useCallback(
    (context: CanvasRenderingContext2D) => {
      const plot: Plot = { width, height: PLOT_PX };
      for (const line of lines.slice(0, LINES_MAX)) {
        context.globalAlpha = pointed === null || pointed === line.name ? 1 : 0.2;
        context.strokeStyle = palette.services[slotOf(line.name)] ?? palette.ink;
        context.lineWidth = pointed === line.name ? 2.5 : 1.5;
        for (const stroke of strokesOf(line, time, stepMs, ceiling, plot)) {
          context.beginPath();
          for (const { x, y } of stroke) context.lineTo(x, y);
          // A lonely point is a dash, or it would not be seen.
          if (stroke.length === 1 && stroke[0]) context.lineTo(stroke[0].x + 2, stroke[0].y);
          context.stroke();
        }
      }
      context.globalAlpha = 1;
    },
    [lines, time, stepMs, ceiling, width, palette, slotOf, pointed],
  );
  const marks = timeMarks(time, width, -new Date(time.to).getTimezoneOffset() * 60_000);
  const markStep = (marks[1] ?? time.to) - (marks[0] ?? time.from);
  return (
    <>
      <div className={styles.lines}>
        <Canvas width={width} height={PLOT_PX} paint={paint} />
        {[1, 0.5].map((share) => (
          <span key={share} className={styles.duration} style={{ top: (1 - share) * PLOT_PX + (share === 1 ? 6 : 0) }}>
            {words(ceiling * share)}
          </span>
        ))}
      </div>
      <div className={styles.axis} aria-hidden="true">
        {marks.map((at) => (
          <span key={at} style={{ left: xOf(time, { width, height: 0 }, at) }}>
            {formatClockMark(at, markStep)}
          </span>
        ))}
      </div>
    </>
  );
}

interface LegendProps {
  readonly lines: readonly Line[];
  readonly words: Words;
  readonly onPoint: (name: string | null) => void;
}

function Legend({ lines, words, onPoint }: LegendProps) {
  const slotOf = useSlots();
  return (
    <div className={styles.legend} tabIndex={0} role="region" aria-label="what the lines are">
      <table>
        <thead>
          <tr>
            <th scope="col">series</th>
            <th scope="col">last</th>
            <th scope="col">mean</th>
            <th scope="col">most</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.name} onPointerEnter={() => onPoint(line.name)} onPointerLeave={() => onPoint(null)}>
              <th scope="row" title={line.labels.map(({ key, value }) => `${key} = ${value}`).join("\n")}>
                <span className={styles.dot} style={{ background: `var(--service-${slotOf(line.name)})` }} />
                {line.name}
              </th>
              <td>{words(line.last)}</td>
              <td>{words(line.mean)}</td>
              <td>{words(line.most)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
