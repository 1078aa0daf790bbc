/**
 * The spans of a trace as rows over time.
 *
 * Rows are real elements, only those in sight, in blocks of some rows; the bars of a block are on a canvas that lies in the
 * scrolled content beside its rows, so that the browser moves both together and they never part while scrolling.
 */
import { type MouseEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import { at, clamp } from "../../base/arrays.ts";
import { marksIn } from "../../base/marks.ts";
import type { Offset, Window } from "../../base/time.ts";
import { useStoredNumber } from "../../state/stored.ts";
import type { Folds } from "../../trace/folds.ts";
import { topShowing } from "../../trace/blocks.ts";
import { type Overlay, timeAt } from "../../trace/layout.ts";
import { rowOf, type Rows, type Shape } from "../../trace/rows.ts";
import type { TraceTree } from "../../trace/tree.ts";
import type { Palette } from "../../widgets/palette.ts";
import { useSize } from "../../widgets/useSize.ts";
import { Bars } from "./Bars.tsx";
import { ColumnGrip } from "./ColumnGrip.tsx";
import { Ruler } from "./Ruler.tsx";
import { rowId } from "./SpanRow.tsx";
import { SpanRows } from "./SpanRows.tsx";
import { useBlocksInSight } from "./useBlocksInSight.ts";
import styles from "./Waterfall.module.css";

interface WaterfallProps {
  readonly tree: TraceTree;
  readonly rows: Rows;
  readonly folds: Folds;
  readonly shape: Shape;
  readonly overlay: Overlay | null;
  readonly window: Window;
  /** The position of the span under the keyboard; null for none. */
  readonly current: number | null;
  readonly matches: Int32Array;
  readonly slotAt: (position: number) => number;
  readonly palette: Palette;
  /** What stands above the name column. */
  readonly controls: ReactNode;
  readonly onSelect: (position: number) => void;
  readonly onToggle: (position: number) => void;
  /** Opens the fold that the span is in, or closes it. */
  readonly onFold: (position: number) => void;
  readonly onFocusSpan: (position: number) => void;
  readonly onZoom: (range: { readonly from: number; readonly to: number } | null) => void;
  readonly onZoomAt: (around: Offset, factor: number) => void;
  readonly onPan: (share: number) => void;
}

const ROW_PX = 24;
const HEAD_PX = 28;
const RIGHT_PX = 12;
const MARK_EVERY_PX = 110;
/** A narrow axis has marks too. */
const MARKS_MIN = 3;
const NAME_MIN_PX = 120;
const NAME_SHARE_MAX = 0.55;
/** How much a notch of the wheel zooms. */
const ZOOM_PER_PX = 0.004;

export function Waterfall(props: WaterfallProps) {
  const { tree, rows, shape, overlay, window, current, matches, slotAt, palette } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [sizeRef, size] = useSize<HTMLDivElement>();
  // Stable, or the element would be measured again at every frame of scrolling.
  const scrollerRef = useCallback(
    (element: HTMLDivElement | null) => {
      scroller.current = element;
      return sizeRef(element);
    },
    [sizeRef],
  );
  const [nameWish, setNameWish] = useStoredNumber("name-width", 380);
  // The wish is kept as it is; a narrow screen only follows it as far as there is room.
  const nameMax = Math.max(NAME_MIN_PX, Math.round(size.width * NAME_SHARE_MAX));
  const name = Math.round(clamp(nameWish, NAME_MIN_PX, nameMax));
  const width = Math.max(0, size.width - name - RIGHT_PX);
  const marks = useMemo(() => marksIn(window, Math.max(MARKS_MIN, Math.floor(width / MARK_EVERY_PX))), [window, width]);

  const height = Math.max(0, size.height - HEAD_PX);
  const { blocks, firstRow, lastRow, scrollTo } = useBlocksInSight(scroller, height, ROW_PX, rows.length);

  const currentRow = current === null ? null : rowOf(rows, current);
  const isInDom = currentRow !== null && currentRow >= firstRow && currentRow < lastRow;
  useLayoutEffect(() => {
    if (currentRow !== null && height > 0) scrollTo((top) => topShowing(currentRow, top, height, ROW_PX));
    // Also when the height changes: the details that just opened must not cover the span they are of.
  }, [scrollTo, currentRow, height]);

  useWheel(scroller, (event) => {
    if (event.ctrlKey || event.metaKey) {
      const box = scroller.current?.getBoundingClientRect();
      const x = event.clientX - (box?.left ?? 0) - name;
      props.onZoomAt(timeAt({ window, width }, clamp(x, 0, width)), Math.exp(event.deltaY * ZOOM_PER_PX));
      return true;
    }
    // With Shift some systems turn the wheel sideways themselves, others leave that to us.
    const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (isSideways) props.onPan(sideways / Math.max(1, width));
    return isSideways;
  });

  return (
    <div className={styles.waterfall}>
      <div
        ref={scrollerRef}
        role="treegrid"
        aria-label="spans"
        aria-rowcount={rows.length + 1}
        aria-colcount={2}
        aria-activedescendant={isInDom ? rowId(at(tree.spans, at(rows.positions, currentRow))) : undefined}
        tabIndex={0}
        className={styles.scroller}
        style={{ "--name-width": `${name}px`, "--row-height": `${ROW_PX}px` }}
      >
        <div role="rowgroup" className={styles.head} style={{ height: HEAD_PX }}>
          <div role="row" aria-rowindex={1} className={styles.headRow}>
            <div role="columnheader" className={styles.headName}>
              {props.controls}
            </div>
            <div role="columnheader" className={styles.headTime} aria-label="time">
              <Ruler window={window} width={width} marks={marks} onZoom={props.onZoom} />
            </div>
          </div>
        </div>
        <div
          role="rowgroup"
          className={styles.body}
          style={{ height: rows.length * ROW_PX }}
          onClick={(event) => {
            const hit = hitOf(event);
            if (hit) ({ toggle: props.onToggle, fold: props.onFold, row: props.onSelect })[hit.part](hit.position);
          }}
          onDoubleClick={(event) => {
            const hit = hitOf(event);
            if (hit?.part === "row") props.onFocusSpan(hit.position);
          }}
        >
          {width > 0 && (
            <SpanRows
              tree={tree}
              rows={rows}
              blocks={blocks}
              folds={props.folds}
              shape={shape}
              insight={overlay?.insight ?? null}
              current={current}
              matches={matches}
              slotAt={slotAt}
              rowHeight={ROW_PX}
              nameWidth={name}
            />
          )}
          {width > 0 && (
            <Bars
              tree={tree}
              rows={rows}
              collapsed={shape.collapsed}
              overlay={overlay}
              window={window}
              marks={marks.at}
              blocks={blocks}
              rowHeight={ROW_PX}
              left={name}
              width={width}
              margin={RIGHT_PX}
              slotAt={slotAt}
              palette={palette}
            />
          )}
        </div>
      </div>
      <ColumnGrip value={name} min={NAME_MIN_PX} max={nameMax} onChange={setNameWish} />
    </div>
  );
}

/** Which span a click met, and which part of its row: the mark that collapses, the one that folds, or the rest. */
function hitOf(event: MouseEvent): { readonly position: number; readonly part: "toggle" | "fold" | "row" } | null {
  const target = event.target instanceof Element ? event.target : null;
  const row = target?.closest("[data-position]");
  if (!row) return null;
  const part = target?.closest("[data-toggle]") ? "toggle" : target?.closest("[data-fold]") ? "fold" : "row";
  return { position: Number(row.getAttribute("data-position")), part };
}

/** Wheel events that may be kept from scrolling, which React's own listeners cannot do. `handle` tells whether it took one. */
function useWheel(target: { readonly current: HTMLElement | null }, handle: (event: WheelEvent) => boolean): void {
  const latest = useRef(handle);
  useEffect(() => {
    latest.current = handle;
  });
  useEffect(() => {
    const element = target.current;
    const listen = (event: WheelEvent): void => {
      if (latest.current(event)) event.preventDefault();
    };
    element?.addEventListener("wheel", listen, { passive: false });
    return () => element?.removeEventListener("wheel", listen);
  }, [target]);
}
