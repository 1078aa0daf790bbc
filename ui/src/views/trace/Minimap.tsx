/** The whole trace in a strip; drag over it to zoom, double-click for all of it. */
import { useCallback, useDeferredValue, useMemo } from "react";
import { at } from "../../base/arrays.ts";
import type { Window } from "../../base/time.ts";
import type { Insight } from "../../trace/insight.ts";
import { timeAt, xOf } from "../../trace/layout.ts";
import { minimapPath, minimapRuns } from "../../trace/minimap.ts";
import type { TraceTree } from "../../trace/tree.ts";
import { isWhole } from "../../trace/window.ts";
import { Canvas } from "../../widgets/Canvas.tsx";
import type { Palette } from "../../widgets/palette.ts";
import { useSize } from "../../widgets/useSize.ts";
import styles from "./Minimap.module.css";
import { paintMatches, paintRuns } from "./paint.ts";
import { useDragRange } from "./useDragRange.ts";

interface MinimapProps {
  readonly tree: TraceTree;
  readonly insight: Insight | null;
  readonly whole: Window;
  readonly window: Window;
  /** Positions of spans that the search found. */
  readonly matches: Int32Array;
  readonly slotAt: (position: number) => number;
  readonly palette: Palette;
  /** Null for the whole trace. */
  readonly onZoom: (range: { readonly from: number; readonly to: number } | null) => void;
}

const HEIGHT_PX = 48;

export function Minimap({ tree, insight, whole, window, matches, slotAt, palette, onZoom }: MinimapProps) {
  const [ref, { width }] = useSize<HTMLDivElement>();
  const scale = { window: whole, width };
  const { draft, handlers } = useDragRange((from, to) => onZoom({ from: timeAt(scale, from), to: timeAt(scale, to) }));
  // Rows first: what all spans are painted of comes after them.
  const drawn = useDeferredValue<TraceTree | null>(tree, null);
  const runs = useMemo(() => (drawn ? minimapRuns(drawn, whole.to, Math.floor(width), HEIGHT_PX, slotAt) : []), [drawn, whole, width, slotAt]);
  const path = useMemo(
    () => (insight ? minimapPath(insight.sections, tree.spans.length, whole.to, Math.floor(width), HEIGHT_PX) : []),
    [insight, tree, whole, width],
  );
  const paint = useCallback(
    (context: CanvasRenderingContext2D) => {
      paintRuns(context, runs, palette);
      paintRuns(context, path, palette);
      const xs = new Set(Array.from(matches, (p) => Math.round(xOf({ window: whole, width }, at(tree.spans, p).start))));
      paintMatches(context, xs, HEIGHT_PX, palette);
    },
    [runs, path, palette, matches, tree, whole, width],
  );
  const left = xOf(scale, window.from);
  const right = xOf(scale, window.to);
  return (
    <div
      ref={ref}
      className={styles.minimap}
      style={{ height: HEIGHT_PX }}
      title="drag to zoom, double-click for the whole trace"
      onDoubleClick={() => onZoom(null)}
      {...handlers}
    >
      {width > 0 && <Canvas width={width} height={HEIGHT_PX} paint={paint} />}
      {!isWhole(whole, window) && (
        <>
          <span className={styles.outside} style={{ left: 0, width: left }} />
          <span className={styles.outside} style={{ left: right, right: 0 }} />
        </>
      )}
      {draft && <span className={styles.draft} style={{ left: draft.x, width: draft.width }} />}
    </div>
  );
}
