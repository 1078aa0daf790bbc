/** A trace that is here: composes head, minimap, waterfall and details around one look. */
import { type ReactNode, useCallback, useDeferredValue, useMemo, useRef, useState } from "react";
import { at } from "../../base/arrays.ts";
import type { SpanId } from "../../base/ids.ts";
import { offset, type Window } from "../../base/time.ts";
import type { Trace } from "../../model/trace.ts";
import { useSlots } from "../../state/queries.ts";
import { factsOf } from "../../trace/facts.ts";
import { collapsedFrom, revealing, toggled, visibleRows } from "../../trace/rows.ts";
import { neighbour, SearchIndex } from "../../trace/search.ts";
import { buildTree } from "../../trace/tree.ts";
import { isWhole, panned, showing, wholeWindow, windowWithin, zoomed } from "../../trace/window.ts";
import { Button, IconButton, Notice } from "../../widgets/controls.tsx";
import { RefreshIcon } from "../../widgets/icons.tsx";
import { usePalette } from "../../widgets/palette.ts";
import { Details } from "./details/Details.tsx";
import { FindBox } from "./FindBox.tsx";
import { Minimap } from "./Minimap.tsx";
import { TraceHead } from "./TraceHead.tsx";
import styles from "./TracePage.module.css";
import { useLook } from "./useLook.ts";
import { useTraceKeys } from "./useTraceKeys.ts";
import { Waterfall } from "./Waterfall.tsx";

export function TracePage({ trace, onRefresh }: { readonly trace: Trace; readonly onRefresh: () => void }) {
  const tree = useMemo(() => buildTree(trace.spans), [trace]);
  const facts = useMemo(() => factsOf(trace, tree), [trace, tree]);
  const index = useMemo(() => new SearchIndex(tree), [tree]);
  const errors = useMemo(() => positionsWhere(tree.spans, (span) => span.status.code === "error"), [tree]);
  const slotOf = useSlots();
  const slotAt = useCallback((position: number) => slotOf(at(tree.spans, position).resource.service), [slotOf, tree]);
  const palette = usePalette();

  const [look, changeLook] = useLook();
  const whole = useMemo(() => wholeWindow(trace.duration), [trace.duration]);
  const window = useMemo(() => (look.zoom ? windowWithin(whole, look.zoom.from, look.zoom.to) : whole), [whole, look.zoom]);
  const query = useDeferredValue(look.find);
  const matches = useMemo(() => index.find(query), [index, query]);

  const selected = look.span === null ? null : (tree.positionOf.get(look.span) ?? null);
  const [cursor, setCursor] = useState<SpanId | null>(look.span);
  const current = (cursor === null ? null : tree.positionOf.get(cursor)) ?? selected;
  const [collapsed, setCollapsed] = useState<ReadonlySet<SpanId>>(() => new Set());
  const revealed = useMemo(() => (current === null ? collapsed : revealing(tree, collapsed, current)), [tree, collapsed, current]);
  const rows = useMemo(() => visibleRows(tree, revealed), [tree, revealed]);
  const findField = useRef<HTMLInputElement>(null);

  /** Puts the keyboard on a span, in sight; the details follow when they are open. */
  const goTo = (position: number, open = look.span !== null): void => {
    const span = at(tree.spans, position);
    setCursor(span.id);
    setCollapsed(revealing(tree, revealed, position));
    const shown = showing(whole, window, span.start, offset(span.start + Math.max(0, span.duration)));
    changeLook({ span: open ? span.id : look.span, zoom: shown === window ? look.zoom : shown });
  };
  /** The whole trace is no zoom, however it was reached. */
  const show = (next: Window): void => changeLook({ zoom: isWhole(whole, next) ? null : next });
  const zoomTo = (range: { readonly from: number; readonly to: number } | null): void =>
    show(range ? windowWithin(whole, range.from, range.to) : whole);
  const zoomToSpan = (position: number): void =>
    zoomTo({ from: at(tree.subtreeStart, position), to: at(tree.subtreeEnd, position) });
  const step = (among: Int32Array, direction: 1 | -1): void => {
    const next = neighbour(among, current ?? -1, direction);
    if (next !== null) goTo(next);
  };
  /** What is collapsed hides the current span too: the keyboard then goes to the row that hides it. */
  const collapse = (next: ReadonlySet<SpanId>): void => {
    setCollapsed(next);
    if (current === null) return;
    const visible = visibleRows(tree, next);
    if (!visible.includes(current)) setCursor(at(tree.spans, visible.findLast((p) => p <= current) ?? 0).id);
  };
  const toggle = (position: number): void => collapse(toggled(revealed, at(tree.spans, position).id));

  useTraceKeys({
    tree,
    rows,
    collapsed: revealed,
    current,
    goTo,
    toggle,
    open: () => current !== null && goTo(current, true),
    escape: () => {
      if (look.span !== null) changeLook({ span: null });
      else if (look.find !== "") changeLook({ find: "" });
      else if (look.zoom !== null) changeLook({ zoom: null });
    },
    find: () => findField.current?.select(),
    stepMatch: (direction) => step(matches, direction),
    stepError: (direction) => step(errors, direction),
    collapseFrom: (depth) => collapse(depth === null ? new Set() : collapsedFrom(tree, depth)),
    zoom: (factor) => {
      const middle = current === null ? offset((window.from + window.to) / 2) : at(tree.spans, current).start;
      show(zoomed(whole, window, middle, factor));
    },
    pan: (share) => show(panned(whole, window, share)),
    zoomOut: () => zoomTo(null),
    zoomToCurrent: () => current !== null && zoomToSpan(current),
    refresh: onRefresh,
  });

  const found = current === null ? -1 : matches.indexOf(current);
  return (
    <>
      <TraceHead trace={trace} tree={tree} facts={facts}>
        <FindBox
          ref={findField}
          query={look.find}
          count={matches.length}
          which={found + 1}
          onQuery={(find) => changeLook({ find })}
          onStep={(direction) => step(matches, direction)}
        />
        <IconButton look="bare" label="read the trace again" onClick={onRefresh}>
          <RefreshIcon />
        </IconButton>
      </TraceHead>
      {look.span !== null && selected === null && (
        <Notice action={<Button onClick={() => changeLook({ span: null })}>dismiss</Button>}>
          span {look.span} is not in this trace, or not here yet
        </Notice>
      )}
      <Minimap tree={tree} whole={whole} window={window} matches={matches} slotAt={slotAt} palette={palette} onZoom={zoomTo} />
      <div className={styles.split}>
        <Waterfall
          tree={tree}
          rows={rows}
          collapsed={revealed}
          window={window}
          current={current}
          matches={matches}
          slotAt={slotAt}
          palette={palette}
          controls={<TreeControls onCollapse={() => collapse(collapsedFrom(tree, 0))} onExpand={() => collapse(new Set())} />}
          onSelect={(position) => goTo(position, true)}
          onToggle={toggle}
          onFocusSpan={zoomToSpan}
          onZoom={zoomTo}
          onZoomAt={(around, factor) => show(zoomed(whole, window, around, factor))}
          onPan={(share) => show(panned(whole, window, share))}
        />
        {selected !== null && (
          <Details
            trace={trace}
            tree={tree}
            position={selected}
            slot={slotAt(selected)}
            onGoTo={(position) => goTo(position, true)}
            onClose={() => changeLook({ span: null })}
          />
        )}
      </div>
    </>
  );
}

function TreeControls({ onCollapse, onExpand }: { readonly onCollapse: () => void; readonly onExpand: () => void }): ReactNode {
  return (
    <>
      <Button look="bare" className={styles.treeControl} onClick={onCollapse}>
        collapse all
      </Button>
      <Button look="bare" className={styles.treeControl} onClick={onExpand}>
        expand all
      </Button>
    </>
  );
}

function positionsWhere<T>(items: readonly T[], holds: (item: T) => boolean): Int32Array {
  return Int32Array.from(items.flatMap((item, i) => (holds(item) ? [i] : [])));
}
