/** What is looked at in a trace and the verbs that change it: the one place where the rules of moving about are. */
import { useDeferredValue, useMemo, useState } from "react";
import { at } from "../../base/arrays.ts";
import type { SpanId } from "../../base/ids.ts";
import { type Offset, offset, type Window } from "../../base/time.ts";
import { soughtIn } from "../../query/within.ts";
import { type TraceLook, type ViewName, VIEWS } from "../../state/trace_url.ts";
import { useMatches } from "../../state/traces.ts";
import { findingNamed } from "../../trace/findings.ts";
import { foldAt } from "../../trace/folds.ts";
import type { PlacedFinding } from "../../trace/insight.ts";
import { wholeRowsOf } from "../../trace/prepared.ts";
import { collapsedFrom, revealing, type RowFilter, type Rows, rowOf, type Shape, toggled, visibleRows, WHOLE_SHAPE } from "../../trace/rows.ts";
import { neighbour } from "../../trace/search.ts";
import { isWhole, panned, showing, wholeWindow, windowWithin, zoomed } from "../../trace/window.ts";
import type { TraceModel } from "./useTraceModel.ts";

export interface TraceState {
  readonly whole: Window;
  readonly window: Window;
  readonly rows: Rows;
  readonly shape: Shape;
  /** Whether anything is filtered out. */
  readonly isFiltered: boolean;
  /** Position of the span whose details are open; null for none. */
  readonly selected: number | null;
  /** Position of the span under the keyboard. */
  readonly current: number | null;
  readonly finding: PlacedFinding | null;
  /** What `n` steps through and the minimap shows: the spans of the finding, else those that the search found. */
  readonly matches: Int32Array;
  /** Why the server does not say what a query matches; null when it does. */
  readonly refused: string | null;
  /** Puts the keyboard on a span, in sight; the details follow when they are open, or when `open` says so. */
  readonly goTo: (position: number, open?: boolean) => void;
  /** The same for a row: a folded one stays folded. */
  readonly goToRow: (position: number, open?: boolean) => void;
  readonly step: (among: Int32Array, direction: 1 | -1) => void;
  readonly toggle: (position: number) => void;
  readonly fold: (position: number) => void;
  readonly foldAll: (folded: boolean) => void;
  /** Null opens everything. */
  readonly collapseFrom: (depth: number | null) => void;
  readonly zoomTo: (range: { readonly from: number; readonly to: number } | null) => void;
  readonly zoomToSpan: (position: number) => void;
  readonly zoomBy: (factor: number, around: Offset | null) => void;
  readonly pan: (share: number) => void;
  /** Null takes the mark away. */
  readonly showFinding: (name: string | null, positions: Int32Array) => void;
  readonly hideService: (service: string) => void;
  readonly onlyService: (service: string) => void;
  readonly onlySubtree: (position: number | null) => void;
  readonly showAll: () => void;
  readonly stepView: (step: 1 | -1) => void;
  /** Takes back the last kind of narrowing: details, finding, search, filters, zoom. */
  readonly escape: () => void;
}

export function useTraceState(model: TraceModel, look: TraceLook, changeLook: (patch: Partial<TraceLook>) => void): TraceState {
  const { bare: tree, folds, insight } = model;
  const whole = useMemo(() => wholeWindow(model.trace.duration), [model.trace.duration]);
  const window = useMemo(() => (look.zoom ? windowWithin(whole, look.zoom.from, look.zoom.to) : whole), [whole, look.zoom]);

  const query = useDeferredValue(look.find);
  const { found, refused } = useFound(model, query);
  const finding = useMemo(() => insight && findingNamed(tree, insight, look.finding), [tree, insight, look.finding]);
  const matches = finding?.positions ?? found;

  const positionOf = (id: SpanId | null): number | null => (id === null ? null : (tree.positionOf.get(id) ?? null));
  const selected = positionOf(look.span);
  const [cursor, setCursor] = useState<SpanId | null>(look.span);
  const current = positionOf(cursor) ?? selected;

  const filter = useFilter(model, look);
  const [wish, setShape] = useState<Shape>(() => (selected === null ? WHOLE_SHAPE : revealing(tree, folds, WHOLE_SHAPE, selected, true)));
  const shape = useMemo(() => (current === null ? wish : revealing(tree, folds, wish, current, false)), [tree, folds, wish, current]);
  const isWholeShape = shape === WHOLE_SHAPE && !filter.isNarrow;
  const rows = useMemo(() => (isWholeShape ? wholeRowsOf(model.trace) : visibleRows(tree, folds, shape, filter)), [model.trace, tree, folds, shape, filter, isWholeShape]);

  const moveTo = (position: number, open: boolean, own: boolean): void => {
    const span = at(tree.spans, position);
    setCursor(span.id);
    setShape(revealing(tree, folds, shape, position, own));
    const shown = showing(whole, window, span.start, offset(span.start + Math.max(0, span.duration)));
    changeLook({
      span: open ? span.id : look.span,
      zoom: shown === window ? look.zoom : shown,
      ...(isOut(filter, tree.descendants, position) && letIn(model, look, position)),
    });
  };
  const goTo = (position: number, open = look.span !== null): void => moveTo(position, open, true);
  const goToRow = (position: number, open = look.span !== null): void => moveTo(position, open, false);
  /** The whole trace is no zoom, however it was reached. */
  const show = (next: Window): void => changeLook({ zoom: isWhole(whole, next) ? null : next });
  const zoomTo = (range: { readonly from: number; readonly to: number } | null): void => show(range ? windowWithin(whole, range.from, range.to) : whole);
  /** What is hidden hides the current span too: the keyboard then goes to the row that hides it. */
  const reshape = (next: Shape): void => {
    setShape(next);
    if (current === null) return;
    const after = visibleRows(tree, folds, next, filter);
    if (after.length > 0) setCursor(at(tree.spans, at(after.positions, rowOf(after, current))).id);
  };

  return {
    whole,
    window,
    rows,
    shape,
    isFiltered: filter.isNarrow,
    selected,
    current,
    finding,
    matches,
    refused,
    goTo,
    goToRow,
    step: (among, direction) => {
      const next = neighbour(among, current ?? -1, direction);
      if (next !== null) goTo(next);
    },
    toggle: (position) => {
      const fold = foldAt(folds, position);
      if (fold && !shape.unfolded.has(fold.id)) reshape({ ...shape, unfolded: toggled(shape.unfolded, fold.id) });
      else reshape({ ...shape, collapsed: toggled(shape.collapsed, at(tree.spans, position).id) });
    },
    fold: (position) => {
      const fold = foldAt(folds, position);
      if (fold) reshape({ ...shape, unfolded: toggled(shape.unfolded, fold.id) });
    },
    foldAll: (folded) => reshape({ ...shape, unfolded: new Set(folded ? [] : folds.list.map((fold) => fold.id)) }),
    collapseFrom: (depth) => reshape({ ...shape, collapsed: depth === null ? new Set() : collapsedFrom(tree, depth) }),
    zoomTo,
    zoomToSpan: (position) => zoomTo({ from: at(tree.subtreeStart, position), to: at(tree.subtreeEnd, position) }),
    zoomBy: (factor, around) => {
      const middle = current === null ? offset((window.from + window.to) / 2) : at(tree.spans, current).start;
      show(zoomed(whole, window, around ?? middle, factor));
    },
    pan: (share) => show(panned(whole, window, share)),
    showFinding: (name, positions) => {
      const first = positions[0];
      if (name === null || first === undefined) return changeLook({ finding: name });
      const span = at(tree.spans, first);
      setCursor(span.id);
      setShape([...positions].reduce((opened, p) => revealing(tree, folds, opened, p, false), shape));
      changeLook({ finding: name, find: "", ...(isOut(filter, tree.descendants, first) && letIn(model, look, first)) });
    },
    hideService: (service) => changeLook({ hidden: [...new Set([...look.hidden, service])] }),
    onlyService: (service) => changeLook({ hidden: model.facts.services.map(({ name }) => name).filter((name) => name !== service) }),
    onlySubtree: (position) => changeLook({ top: position === null ? null : at(tree.spans, position).id }),
    showAll: () => changeLook({ hidden: [], top: null, onlyPath: false }),
    stepView: (step) => changeLook({ view: viewAfter(look.view, step) }),
    escape: () => {
      if (look.span !== null) changeLook({ span: null });
      else if (look.finding !== null) changeLook({ finding: null });
      else if (look.find !== "") changeLook({ find: "" });
      else if (filter.isNarrow) changeLook({ hidden: [], top: null, onlyPath: false });
      else if (look.zoom !== null) changeLook({ zoom: null });
    },
  };
}

const NONE = new Int32Array();

/** Positions of what is sought: words here, TraceQL by the server. */
function useFound({ source, bare: tree, index }: TraceModel, text: string): { readonly found: Int32Array; readonly refused: string | null } {
  const sought = soughtIn(text);
  const asked = useMatches(source, sought === "query" ? text.trim() : "");
  const matches = sought === "query" ? asked.data : undefined;
  const found = useMemo(() => {
    if (sought === "words") return index.find(text);
    return matches ? Int32Array.from(matches.flatMap((id) => tree.positionOf.get(id) ?? [])).sort() : NONE;
  }, [index, tree, text, sought, matches]);
  return { found, refused: sought === "query" ? (asked.error?.message ?? null) : null };
}

interface Filter extends RowFilter {
  readonly isNarrow: boolean;
}

function useFilter({ bare: tree, insight }: TraceModel, { hidden, onlyPath, top }: TraceLook): Filter {
  const within = onlyPath ? (insight?.criticalWithin ?? null) : null;
  return useMemo(() => {
    const services = new Set(hidden);
    const position = top === null ? null : (tree.positionOf.get(top) ?? null);
    const isHiding = services.size > 0 || within !== null;
    return {
      top: position,
      isNarrow: isHiding || position !== null,
      // Asked of every span.
      isHidden: !isHiding ? () => false : (p: number) => services.has(at(tree.spans, p).resource.service) || (within !== null && at(within, p) <= 0),
    };
  }, [tree, within, hidden, top]);
}

function isOut(filter: RowFilter, descendants: Int32Array, position: number): boolean {
  const { top } = filter;
  return filter.isHidden(position) || (top !== null && (position < top || position > top + at(descendants, top)));
}

/** As little of the narrowing taken back as lets the span at `position` be seen. */
function letIn({ tree, insight }: TraceModel, look: TraceLook, position: number): Partial<TraceLook> {
  const top = look.top === null ? undefined : tree.positionOf.get(look.top);
  const isBelow = top === undefined || (position >= top && position <= top + at(tree.descendants, top));
  const { service } = at(tree.spans, position).resource;
  return {
    top: isBelow ? look.top : null,
    hidden: look.hidden.filter((name) => name !== service),
    onlyPath: look.onlyPath && (insight === null || at(insight.criticalWithin, position) > 0),
  };
}

function viewAfter(view: ViewName, step: 1 | -1): ViewName {
  return at(VIEWS, (VIEWS.indexOf(view) + step + VIEWS.length) % VIEWS.length);
}
