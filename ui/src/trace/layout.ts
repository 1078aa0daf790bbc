/**
 * From spans and a viewport to rectangles. Pure: painting only fills what stands here.
 *
 *     x = 0            window                       width
 *      ├──────────────────────────────────────────────┤
 *      ███████████████████████████████████ 305 ms        label right of the bar where it fits,
 *                        12 ms ████████████████████████  else left of it,
 *      ███████████████████████ 1.2 s ██████████████████  else inside (a bar as wide as the view),
 *      ░░░░███░░░░░░░░░░░░░                              a collapsed span: the envelope of what it hides behind it
 *      ██ ███ ██ ██ ███                                  folded siblings: all their bars in one row
 *            ╎  ╎                                        events as ticks on the bar
 *      ━━━━        ━━━━                                  the critical path along the bar, dark time hatched on it,
 *      ┈┈▒▒▒▒▒▒▒▒▒▒▒▒┈┈                                  a client's time to and from its server paler
 *
 * A bar is never narrower than `BAR_MIN_PX`, so a span of no duration can be seen and clicked. Bars are clipped to the
 * view, since a canvas turns imprecise far outside of it.
 */
import { at } from "../base/arrays.ts";
import { formatDuration } from "../base/format.ts";
import { duration, offset, type Offset, type Window } from "../base/time.ts";
import { isError, type Span } from "../model/span.ts";
import { gapPairs, type Insight, type SubtreePath } from "./insight.ts";
import type { Rows } from "./rows.ts";
import { firstEndingAfter, type Pairs } from "./stretches.ts";
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

/** A folded sibling, or some that are too narrow to be told apart. */
export interface Sibling extends Extent {
  readonly error: boolean;
}

export interface Bar {
  /** In the tree. */
  readonly position: number;
  /** The top of the row. */
  readonly y: number;
  /** The span's own; of folded siblings that of the first. Null when it lies outside of the window. */
  readonly extent: Extent | null;
  /** The other folded siblings. */
  readonly siblings: readonly Sibling[];
  /** The reach of hidden descendants; only for collapsed spans. */
  readonly envelope: Extent | null;
  readonly label: { readonly text: string; readonly x: number; readonly place: "right" | "left" | "inside" } | null;
  /** Event times that are in view. */
  readonly ticks: readonly number[];
  /** Of the span itself. */
  readonly error: boolean;
  /** An error among the hidden descendants. */
  readonly errorHidden: boolean;
  /** The critical path; of a collapsed span also that of what it hides. */
  readonly path: readonly Extent[];
  /** Time on the path about which nothing is recorded. */
  readonly dark: readonly Extent[];
  /** Time between a client and its server. */
  readonly gap: readonly Extent[];
  /** Where the span's own clock put it, when clocks were corrected. */
  readonly recorded: Extent | null;
  /** Nobody waited for it. */
  readonly detached: boolean;
}

/** What is laid out besides spans: the analysis, and its stretches by row. */
export interface Overlay {
  readonly insight: Insight;
  readonly path: SubtreePath;
  readonly dark: SubtreePath;
}

export const BAR_MIN_PX = 2;
const LABEL_GAP_PX = 4;
/** Stretches nearer to each other than this are drawn as one. */
const JOIN_PX = 0.5;
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
  overlay: Overlay | null = null,
): readonly Bar[] {
  const bars: Bar[] = [];
  for (let row = first; row < Math.min(last, rows.length); row++) {
    const position = at(rows.positions, row);
    const members = rows.folded.get(row) ?? [];
    const collapsed = isCollapsed(position) || members.length > 0;
    bars.push(layoutBar(tree, position, members, collapsed, (row - first) * viewport.rowHeight, viewport, overlay));
  }
  return bars;
}

function layoutBar(
  tree: TraceTree,
  position: number,
  members: readonly number[],
  collapsed: boolean,
  y: number,
  viewport: Viewport,
  overlay: Overlay | null,
): Bar {
  const span = at(tree.spans, position);
  const all = members.length > 0 ? members : [position];
  const extent = extentOf(viewport, span);
  const siblings = layoutSiblings(tree, members.slice(1), viewport);
  const envelope = collapsed && members.length === 0 && clippedExtent(viewport, at(tree.subtreeStart, position), at(tree.subtreeEnd, position));
  const shift = overlay === null ? 0 : at(overlay.insight.shift, position);
  const recorded = shift === 0 ? null : clippedExtent(viewport, span.start - shift, span.start - shift + Math.max(0, span.duration));
  return {
    position,
    y,
    extent,
    siblings,
    envelope: envelope || null,
    label: label(tree, all, [extent, recorded, ...siblings], viewport),
    ticks: extent
      ? span.events.slice(0, TICKS_MAX).map((event) => xOf(viewport, event.at)).filter((x) => x >= 0 && x <= viewport.width)
      : [],
    error: isError(span),
    errorHidden: collapsed && all.some((p) => at(tree.errorsBelow, p) > 0),
    path: overlay ? stretches(viewport, overlay.path, all, collapsed) : [],
    dark: overlay && !collapsed ? extentsOf(viewport, overlay.dark.own(position)) : [],
    gap: overlay && !collapsed ? extentsOf(viewport, gapPairs(tree, overlay.insight, position)) : [],
    recorded,
    detached: overlay !== null && at(overlay.insight.detached, position) === 1,
  };
}

const endsOf = (span: Span): readonly [number, number] => [span.start, span.start + Math.max(0, span.duration)];

function extentOf(viewport: Viewport, span: Span): Extent | null {
  const [from, to] = endsOf(span);
  return clippedExtent(viewport, from, to);
}

/** Narrower siblings than this are joined with what is beside them: a thousand of them are a band. */
const SIBLING_MIN_PX = 4;

/** `members` are in order of their start. */
function layoutSiblings(tree: TraceTree, members: readonly number[], viewport: Viewport): readonly Sibling[] {
  const siblings: Sibling[] = [];
  for (const p of members) {
    const span = at(tree.spans, p);
    const extent = extentOf(viewport, span);
    if (!extent) continue;
    const error = isError(span);
    const last = siblings.at(-1);
    const isNarrow = extent.width < SIBLING_MIN_PX && last !== undefined && last.error === error && extent.x <= last.x + last.width + JOIN_PX;
    if (isNarrow) siblings[siblings.length - 1] = { ...last, width: Math.max(last.width, extent.x + extent.width - last.x) };
    else siblings.push({ ...extent, error });
  }
  return siblings;
}

/** Stands beside all that is drawn in the row. Of folded siblings it says their sum. */
function label(tree: TraceTree, all: readonly number[], drawn: readonly (Extent | null)[], viewport: Viewport): Bar["label"] {
  const boxes = drawn.filter((box) => box !== null);
  if (boxes.length === 0) return null;
  const x = boxes.reduce((least, box) => Math.min(least, box.x), Infinity);
  const right = boxes.reduce((most, box) => Math.max(most, box.x + box.width), 0);
  const hull = { x, width: right - x };
  if (all.length === 1) return placeLabel(formatDuration(at(tree.spans, at(all, 0)).duration), hull, viewport);
  const sum = all.reduce((total, p) => total + Math.max(0, at(tree.spans, p).duration), 0);
  return placeLabel(`∑ ${formatDuration(duration(sum))}`, hull, viewport);
}

function stretches(viewport: Viewport, path: SubtreePath, all: readonly number[], collapsed: boolean): readonly Extent[] {
  const first = at(all, 0);
  if (!collapsed) return extentsOf(viewport, path.own(first));
  if (all.length === 1) return extentsOf(viewport, path.within(first));
  return all.flatMap((p) => extentsOf(viewport, path.within(p)));
}

/** The pairs that are in view, those that would touch on the screen joined: some thousand stretches make some hundred rectangles. */
export function extentsOf(viewport: Pick<Viewport, "window" | "width">, pairs: Pairs): readonly Extent[] {
  const { window, width } = viewport;
  const extents: Extent[] = [];
  for (let i = firstEndingAfter(pairs, window.from); i < pairs.length && at(pairs, i) < window.to; i += 2) {
    const left = Math.max(0, xOf(viewport, at(pairs, i)));
    const right = Math.min(width, xOf(viewport, at(pairs, i + 1)));
    const last = extents.at(-1);
    if (last && left - (last.x + last.width) < JOIN_PX) extents[extents.length - 1] = { x: last.x, width: right - last.x };
    else extents.push({ x: left, width: right - left });
  }
  return extents;
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
