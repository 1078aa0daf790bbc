/**
 * From spans and a viewport to rectangles. Pure: painting only fills what stands here.
 *
 *     x = 0            window                       width
 *      ├──────────────────────────────────────────────┤
 *      ███████████████████████████████████ 305 ms        label right of the bar where it fits,
 *                        12 ms ████████████████████████  else left of it,
 *      ███████████████████████ 1.2 s ██████████████████  else inside (a bar as wide as the view),
 *      ░░░░███░░░░░░░░░░░░░                              a collapsed span: the envelope of what it hides behind it
 *            ╎  ╎                                        events as ticks on the bar
 *
 * A bar is never narrower than `BAR_MIN_PX`, so a span of no duration can be seen and clicked. Bars are clipped to the
 * view, since a canvas turns imprecise far outside of it.
 */
import { at } from "../base/arrays.ts";
import { formatDuration } from "../base/format.ts";
import { offset, type Offset, type Window } from "../base/time.ts";
import { isError } from "../model/span.ts";
import type { Rows } from "./rows.ts";
import type { TraceTree } from "./tree.ts";

export interface Viewport {
  readonly window: Window;
  /** Pixels of the time axis. */
  readonly width: number;
  readonly rowHeight: number;
  /** The width of a label in pixels. */
  readonly measure: (label: string) => number;
}

export interface Extent {
  readonly x: number;
  readonly width: number;
}

export interface Bar {
  /** In the tree. */
  readonly position: number;
  /** The top of the row. */
  readonly y: number;
  /** Null when the span lies outside of the window. */
  readonly extent: Extent | null;
  /** The reach of hidden descendants; only for collapsed spans. */
  readonly envelope: Extent | null;
  readonly label: { readonly text: string; readonly x: number; readonly place: "right" | "left" | "inside" } | null;
  /** Event times that are in view. */
  readonly ticks: readonly number[];
  readonly error: boolean;
  /** An error among the hidden descendants. */
  readonly errorHidden: boolean;
}

export const BAR_MIN_PX = 2;
const LABEL_GAP_PX = 4;
/** More events than this on one bar are a texture, not ticks. */
const TICKS_MAX = 200;

export function xOf(viewport: Pick<Viewport, "window" | "width">, t: number): number {
  const { from, to } = viewport.window;
  return ((t - from) / (to - from)) * viewport.width;
}

export function timeAt(viewport: Pick<Viewport, "window" | "width">, x: number): Offset {
  const { from, to } = viewport.window;
  return offset(from + (x / viewport.width) * (to - from));
}

/** The bars of rows `first` to `last` (exclusive), `y` counting from the top of row `first`. */
export function layoutBars(
  tree: TraceTree,
  rows: Rows,
  first: number,
  last: number,
  isCollapsed: (position: number) => boolean,
  viewport: Viewport,
): readonly Bar[] {
  const bars: Bar[] = [];
  for (let row = first; row < Math.min(last, rows.length); row++) {
    const position = at(rows, row);
    bars.push(layoutBar(tree, position, isCollapsed(position), (row - first) * viewport.rowHeight, viewport));
  }
  return bars;
}

function layoutBar(tree: TraceTree, position: number, collapsed: boolean, y: number, viewport: Viewport): Bar {
  const span = at(tree.spans, position);
  const extent = clippedExtent(viewport, span.start, span.start + Math.max(0, span.duration));
  return {
    position,
    y,
    extent,
    envelope: collapsed ? clippedExtent(viewport, at(tree.subtreeStart, position), at(tree.subtreeEnd, position)) : null,
    label: extent && placeLabel(formatDuration(span.duration), extent, viewport),
    ticks: extent
      ? span.events.slice(0, TICKS_MAX).map((event) => xOf(viewport, event.at)).filter((x) => x >= 0 && x <= viewport.width)
      : [],
    error: isError(span),
    errorHidden: collapsed && at(tree.errorsBelow, position) > 0,
  };
}

function clippedExtent(viewport: Viewport, from: number, to: number): Extent | null {
  const { window, width } = viewport;
  if (to < window.from || from > window.to) return null;
  const left = Math.max(0, xOf(viewport, from));
  const right = Math.min(width, xOf(viewport, to));
  if (right - left >= BAR_MIN_PX) return { x: left, width: right - left };
  return { x: Math.min(left, width - BAR_MIN_PX), width: BAR_MIN_PX };
}

function placeLabel(text: string, bar: Extent, { width, measure }: Viewport): Bar["label"] {
  const needed = measure(text) + LABEL_GAP_PX;
  const right = bar.x + bar.width;
  if (right + needed <= width) return { text, x: right + LABEL_GAP_PX, place: "right" };
  if (needed <= bar.x) return { text, x: bar.x - needed, place: "left" };
  if (needed + LABEL_GAP_PX <= bar.width) return { text, x: right - needed, place: "inside" };
  return null;
}
