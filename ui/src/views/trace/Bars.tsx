/** The canvas behind the rows that are in sight. */
import { useCallback, useMemo } from "react";
import { at } from "../../base/arrays.ts";
import type { SpanId } from "../../base/ids.ts";
import type { Offset, Window } from "../../base/time.ts";
import { layoutBars, type Overlay, xOf } from "../../trace/layout.ts";
import type { Rows } from "../../trace/rows.ts";
import { strokesOf } from "../../trace/through.ts";
import type { TraceTree } from "../../trace/tree.ts";
import { Canvas } from "../../widgets/Canvas.tsx";
import type { Palette } from "../../widgets/palette.ts";
import { labelFont, paintBars } from "./paint.ts";
import styles from "./Waterfall.module.css";

interface BarsProps {
  readonly tree: TraceTree;
  readonly rows: Rows;
  readonly collapsed: ReadonlySet<SpanId>;
  readonly overlay: Overlay | null;
  readonly window: Window;
  readonly marks: readonly Offset[];
  /** The rows to paint, `last` exclusive. */
  readonly first: number;
  readonly last: number;
  readonly rowHeight: number;
  readonly left: number;
  /** Of the time axis. */
  readonly width: number;
  /** Right of the axis, so that a bar that reaches the end does not touch the edge. */
  readonly margin: number;
  /** Of the canvas; larger than the rows need, so that it keeps its bitmap while scrolling. */
  readonly height: number;
  readonly slotAt: (position: number) => number;
  readonly palette: Palette;
}

export function Bars({ tree, rows, collapsed, overlay, window, marks, first, last, rowHeight, left, width, margin, height, slotAt, palette }: BarsProps) {
  const measure = useMemo(() => labelMeasure(labelFont(palette)), [palette]);
  const paint = useCallback(
    (context: CanvasRenderingContext2D) => {
      const viewport = { window, width, rowHeight, measure };
      const isCollapsed = (position: number): boolean => collapsed.has(at(tree.spans, position).id);
      paintBars(context, {
        bars: layoutBars(tree, rows, first, last, isCollapsed, viewport, overlay),
        strokes: overlay ? strokesOf(overlay.insight.sections, rows, first, last, viewport) : [],
        rowHeight,
        height,
        marks: marks.map((mark) => xOf(viewport, mark)),
        slotAt,
        palette,
      });
    },
    [tree, rows, collapsed, overlay, window, marks, first, last, rowHeight, width, height, slotAt, palette, measure],
  );
  return <Canvas className={styles.bars} style={{ left, top: first * rowHeight }} width={width + margin} height={height} paint={paint} />;
}

/** Durations repeat, so measured labels are kept; bounded, for a trace has at most some thousand different ones. */
const MEASURED_MAX = 10_000;

function labelMeasure(font: string): (label: string) => number {
  const context = document.createElement("canvas").getContext("2d");
  const known = new Map<string, number>();
  return (label) => {
    let width = known.get(label);
    if (width === undefined) {
      if (context) context.font = font;
      width = context?.measureText(label).width ?? label.length * 6;
      if (known.size < MEASURED_MAX) known.set(label, width);
    }
    return width;
  };
}
