/** The keyboard of the trace page: from keys to the page's own verbs. The help sheet is in `shortcuts.ts`. */
import { at } from "../../base/arrays.ts";
import type { SpanId } from "../../base/ids.ts";
import { useKeys } from "../../state/keys.ts";
import { rowOf, type Rows } from "../../trace/rows.ts";
import type { TraceTree } from "../../trace/tree.ts";

interface TraceVerbs {
  readonly tree: TraceTree;
  readonly rows: Rows;
  readonly collapsed: ReadonlySet<SpanId>;
  readonly current: number | null;
  readonly goTo: (position: number) => void;
  readonly toggle: (position: number) => void;
  readonly open: () => void;
  readonly escape: () => void;
  readonly find: () => void;
  readonly stepMatch: (step: 1 | -1) => void;
  readonly stepError: (step: 1 | -1) => void;
  /** Null opens everything. */
  readonly collapseFrom: (depth: number | null) => void;
  readonly zoom: (factor: number) => void;
  readonly pan: (share: number) => void;
  readonly zoomOut: () => void;
  readonly zoomToCurrent: () => void;
  readonly refresh: () => void;
}

const PAGE_ROWS = 20;
const ZOOM_STEP = 1.6;
const PAN_STEP = 0.2;

export function useTraceKeys(verbs: TraceVerbs): void {
  const { tree, rows, collapsed, current, goTo, toggle } = verbs;
  const move = (by: number): void => {
    const row = current === null ? (by > 0 ? -1 : rows.length) : rowOf(rows, current);
    goTo(at(rows, Math.min(Math.max(row + by, 0), rows.length - 1)));
  };
  const isCollapsed = (position: number): boolean => collapsed.has(at(tree.spans, position).id);
  const left = (): void => {
    if (current === null) return move(1);
    if (at(tree.descendants, current) > 0 && !isCollapsed(current)) return toggle(current);
    const parent = at(tree.parent, current);
    if (parent >= 0) goTo(parent);
  };
  const right = (): void => {
    if (current === null) return move(1);
    if (isCollapsed(current)) return toggle(current);
    if (at(tree.descendants, current) > 0) goTo(current + 1);
  };
  const levels = Array.from({ length: 9 }, (_, i) => [`${i + 1}`, () => verbs.collapseFrom(i)] as const);
  useKeys({
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    PageDown: () => move(PAGE_ROWS),
    PageUp: () => move(-PAGE_ROWS),
    Home: () => goTo(at(rows, 0)),
    End: () => goTo(at(rows, rows.length - 1)),
    ArrowLeft: left,
    ArrowRight: right,
    Enter: verbs.open,
    Escape: verbs.escape,
    "/": verbs.find,
    n: () => verbs.stepMatch(1),
    N: () => verbs.stepMatch(-1),
    e: () => verbs.stepError(1),
    E: () => verbs.stepError(-1),
    "[": () => verbs.collapseFrom(0),
    "]": () => verbs.collapseFrom(null),
    "+": () => verbs.zoom(1 / ZOOM_STEP),
    "=": () => verbs.zoom(1 / ZOOM_STEP),
    "-": () => verbs.zoom(ZOOM_STEP),
    "0": verbs.zoomOut,
    a: () => verbs.pan(-PAN_STEP),
    d: () => verbs.pan(PAN_STEP),
    f: verbs.zoomToCurrent,
    r: verbs.refresh,
    ...Object.fromEntries(levels),
  });
}
