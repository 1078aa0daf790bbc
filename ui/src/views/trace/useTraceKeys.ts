/** The keyboard of the trace page: from keys to the page's own verbs. The help sheet is in `shortcuts.ts`. */
import { at } from "../../base/arrays.ts";
import { type KeyMap, useKeys } from "../../state/keys.ts";
import type { TraceLook } from "../../state/trace_url.ts";
import { rowOf } from "../../trace/rows.ts";
import type { TraceModel } from "./useTraceModel.ts";
import type { TraceState } from "./useTraceState.ts";

interface TraceVerbs {
  readonly model: TraceModel;
  readonly state: TraceState;
  readonly look: TraceLook;
  readonly changeLook: (patch: Partial<TraceLook>) => void;
  readonly find: () => void;
  readonly findings: () => void;
  readonly refresh: () => void;
  readonly download: () => void;
}

const PAGE_ROWS = 20;
const ZOOM_STEP = 1.6;
const PAN_STEP = 0.2;

export function useTraceKeys(verbs: TraceVerbs): void {
  const { model, state, look, changeLook } = verbs;
  const { current } = state;
  const withCurrent = (act: (position: number) => void) => () => {
    if (current !== null) act(current);
  };
  const serviceOf = (position: number): string => at(model.tree.spans, position).resource.service;
  const common: KeyMap = {
    Enter: withCurrent((position) => state.goToRow(position, true)),
    Escape: state.escape,
    "/": verbs.find,
    n: () => state.step(state.matches, 1),
    N: () => state.step(state.matches, -1),
    e: () => state.step(model.errors, 1),
    E: () => state.step(model.errors, -1),
    i: verbs.findings,
    c: () => changeLook({ onlyPath: !look.onlyPath }),
    s: () => changeLook({ skew: !look.skew }),
    h: withCurrent((position) => state.hideService(serviceOf(position))),
    o: withCurrent((position) => state.onlyService(serviceOf(position))),
    b: withCurrent((position) => state.onlySubtree(look.top === null ? position : null)),
    u: state.showAll,
    v: () => state.stepView(1),
    V: () => state.stepView(-1),
    r: verbs.refresh,
    D: verbs.download,
  };
  const isTimeline = look.view === "timeline" && state.rows.length > 0;
  useKeys(isTimeline ? { ...common, ...timelineKeys(model, state) } : common);
}

/** Keys that mean something where there are rows and a time axis. */
function timelineKeys({ tree, insight }: TraceModel, state: TraceState): KeyMap {
  const { rows, shape, current } = state;
  const rowAt = (row: number): number => at(rows.positions, Math.min(Math.max(row, 0), rows.length - 1));
  const move = (by: number): void => {
    const row = current === null ? (by > 0 ? -1 : rows.length) : rowOf(rows, current);
    state.goToRow(rowAt(row + by));
  };
  const isClosed = (position: number): boolean => shape.collapsed.has(at(tree.spans, position).id) || rows.folded.has(rowOf(rows, position));
  const left = (): void => {
    if (current === null) return move(1);
    if (at(tree.descendants, current) > 0 && !isClosed(current)) return state.toggle(current);
    const parent = at(tree.parent, current);
    if (parent >= 0) state.goToRow(parent);
  };
  const right = (): void => {
    if (current === null) return move(1);
    if (isClosed(current)) return state.toggle(current);
    if (at(tree.descendants, current) > 0) state.goToRow(current + 1);
  };
  const stepPath = (direction: 1 | -1): void => {
    if (insight) state.step(Int32Array.from(rows.positions.filter((p) => at(insight.critical, p) > 0)), direction);
  };
  const levels = Array.from({ length: 9 }, (_, i) => [`${i + 1}`, () => state.collapseFrom(i)] as const);
  return {
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    PageDown: () => move(PAGE_ROWS),
    PageUp: () => move(-PAGE_ROWS),
    Home: () => state.goToRow(rowAt(0)),
    End: () => state.goToRow(rowAt(rows.length - 1)),
    ArrowLeft: left,
    ArrowRight: right,
    p: () => stepPath(1),
    P: () => stepPath(-1),
    x: () => current !== null && state.fold(current),
    X: () => state.foldAll(rows.folded.size === 0),
    "[": () => state.collapseFrom(0),
    "]": () => state.collapseFrom(null),
    "+": () => state.zoomBy(1 / ZOOM_STEP, null),
    "=": () => state.zoomBy(1 / ZOOM_STEP, null),
    "-": () => state.zoomBy(ZOOM_STEP, null),
    "0": () => state.zoomTo(null),
    a: () => state.pan(-PAN_STEP),
    d: () => state.pan(PAN_STEP),
    f: () => current !== null && state.zoomToSpan(current),
    ...Object.fromEntries(levels),
  };
}
