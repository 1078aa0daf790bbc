/** The canvases beside the rows that are in sight: one for each block of rows, painted when the block comes into sight. */
import { memo, useCallback, useMemo } from "react";
import { at } from "../../base/arrays.ts";
import type { SpanId } from "../../base/ids.ts";
import type { Offset, Window } from "../../base/time.ts";
import { BLOCK_ROWS, type Blocks } from "../../trace/blocks.ts";
import { layoutBars, type Overlay, xOf } from "../../trace/layout.ts";
import type { Rows } from "../../trace/rows.ts";
import { strokesOf } from "../../trace/through.ts";
import type { TraceTree } from "../../trace/tree.ts";
import type { Palette } from "../../widgets/palette.ts";
import { Picture } from "../../widgets/Picture.tsx";
import { type Context, labelFont, paintBars } from "./paint.ts";
import styles from "./Waterfall.module.css";

interface Look {
  readonly tree: TraceTree;
  readonly rows: Rows;
  readonly collapsed: ReadonlySet<SpanId>;
  readonly overlay: Overlay | null;
  readonly window: Window;
  readonly marks: readonly Offset[];
  readonly rowHeight: number;
  readonly left: number;
  /** Of the time axis. */
  readonly width: number;
  /** Right of the axis, so that a bar that reaches the end does not touch the edge. */
  readonly margin: number;
  readonly slotAt: (position: number) => number;
  readonly palette: Palette;
}

export function Bars({ blocks, ...look }: Look & { readonly blocks: Blocks }) {
  const measure = useMemo(() => labelMeasure(labelFont(look.palette)), [look.palette]);
  // A canvas that went out of sight at one end is used again at the other, and keeps its bitmap.
  return Array.from({ length: blocks.last - blocks.first }, (_, i) => {
    const block = blocks.first + i;
    return <BlockBars key={block % blocks.most} {...look} first={block * BLOCK_ROWS} measure={measure} />;
  });
}

interface BlockBarsProps extends Look {
  /** The first row of the block. */
  readonly first: number;
  readonly measure: (label: string) => number;
}

const BlockBars = memo(function BlockBars({ tree, rows, collapsed, overlay, window, marks, first, rowHeight, left, width, margin, slotAt, palette, measure }: BlockBarsProps) {
  const height = BLOCK_ROWS * rowHeight;
  const paint = useCallback(
    (context: Context) => {
      const viewport = { window, width, rowHeight, measure };
      const last = Math.min(first + BLOCK_ROWS, rows.length);
      const isCollapsed = (position: number): boolean => collapsed.has(at(tree.spans, position).id);
      paintBars(context, {
        bars: layoutBars(tree, rows, first, last, isCollapsed, viewport, overlay),
        strokes: overlay ? strokesOf(overlay.insight.sections, rows, first, last, viewport) : [],
        rowHeight,
        height: (last - first) * rowHeight,
        marks: marks.map((mark) => xOf(viewport, mark)),
        slotAt,
        palette,
      });
    },
    [tree, rows, collapsed, overlay, window, marks, first, rowHeight, width, slotAt, palette, measure],
  );
  return <Picture className={styles.bars} style={{ left, top: first * rowHeight }} width={width + margin} height={height} paint={paint} />;
});

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
