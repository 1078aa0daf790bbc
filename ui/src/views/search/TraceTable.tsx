/** The rows of the list: virtual, keyboard first, the next page fetched before the end is reached. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { useLocation } from "wouter";
import { formatDuration, plural } from "../../base/format.ts";
import { shortId } from "../../base/ids.ts";
import type { Hit } from "../../model/hit.ts";
import type { Order } from "../../model/summary.ts";
import { columnsOf } from "../../query/columns.ts";
import { useNow } from "../../state/clock.ts";
import { useKeys } from "../../state/keys.ts";
import type { HitList } from "../../state/hits.ts";
import { useSlots } from "../../state/queries.ts";
import { scrollMemory } from "../../state/stored.ts";
import { comparisonAddress } from "../../state/trace_url.ts";
import { Button, classes } from "../../widgets/controls.tsx";
import { NARROW, useMedia } from "../../widgets/useMedia.ts";
import { linesOf, seeksSpans } from "./matched.ts";
import { LINE_PX } from "./MatchedSpans.tsx";
import { TraceRow } from "./TraceRow.tsx";
import styles from "./TraceTable.module.css";
import { useRowsInHand } from "./useRowsInHand.ts";

interface TraceTableProps {
  /** Under which name the place in the list is remembered. */
  readonly memoryKey: string;
  readonly list: HitList;
  readonly query: string;
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
  /** New matches that are not in the list yet. */
  readonly waiting: number;
  readonly onShowWaiting: () => void;
  /** Tells whether the first row is in sight and no row is in hand. */
  readonly onTop: (atTop: boolean) => void;
}

/** Around the spans of an opened row. */
const OPEN_PAD_PX = 6;
const ROW_PX = 30;
const ROW_NARROW_PX = 50;
/** The next page is asked for when so few rows are left below. */
const ROWS_AHEAD = 40;
const SKELETON_ROWS = 12;

export function TraceTable({ memoryKey, list, query, order, onOrder, waiting, onShowWaiting, onTop }: TraceTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const { hits } = list;
  // Rows that have just come are not ahead of a clock that ticks every few seconds.
  const readAt = useMemo(() => (hits.length > 0 ? Date.now() : 0), [hits]);
  const now = Math.max(useNow(), readAt);
  const slotOf = useSlots();
  const isNarrow = useMedia(NARROW);
  const rowHeight = isNarrow ? ROW_NARROW_PX : ROW_PX;
  const columns = useMemo(() => columnsOf(query, hits), [query, hits]);
  const atMatch = useMemo(() => seeksSpans(query), [query]);
  const { current, setCurrent, opened, open, toggle, base, setBase } = useRowsInHand(hits);
  const [, navigate] = useLocation();
  const heightOf = (index: number): number => {
    const hit = hits[index];
    return rowHeight + (hit && opened.has(hit.id) ? linesOf(hit).length * LINE_PX + OPEN_PAD_PX : 0);
  };
  const virtual = useVirtualizer({
    count: hits.length,
    getScrollElement: () => scroller.current,
    estimateSize: heightOf,
    overscan: 8,
    initialOffset: scrollMemory.get(memoryKey) ?? 0,
  });
  useEffect(() => virtual.measure(), [virtual, rowHeight, opened, hits]);

  const goTo = (row: number): void => {
    if (hits.length === 0) return;
    const next = Math.min(Math.max(row, 0), hits.length - 1);
    setCurrent(next);
    virtual.scrollToIndex(next);
  };
  const compare = (hit: Hit | undefined): void => {
    if (!hit) return;
    if (base === null || base.id === hit.id) setBase(base === null ? hit : null);
    else navigate(comparisonAddress(base.id, hit.id));
  };
  useKeys({
    c: () => compare(hits[current]),
    j: () => goTo(current + 1),
    ArrowDown: () => goTo(current + 1),
    k: () => goTo(current - 1),
    ArrowUp: () => goTo(current - 1),
    ArrowRight: () => open(current, true),
    ArrowLeft: () => open(current, false),
    Home: () => goTo(0),
    End: () => goTo(hits.length - 1),
  });

  const [isScrolled, setScrolled] = useState(() => (scrollMemory.get(memoryKey) ?? 0) >= ROW_PX);
  const goTop = (): void => virtual.scrollToOffset(0);
  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  const needsMore = list.hasMore && !list.fetching && !list.stale && !list.error && lastShown >= hits.length - ROWS_AHEAD;
  const { more } = list;
  useEffect(() => {
    if (needsMore) more();
  });

  const longest = hits.reduce((most, hit) => Math.max(most, hit.duration), 0);
  const remember = (): void => {
    const top = scroller.current?.scrollTop ?? 0;
    scrollMemory.set(memoryKey, top);
    setScrolled(top >= ROW_PX);
  };
  // Whoever has a row in hand is not to have it moved either.
  const isAtTop = !isScrolled && current < 0;
  useEffect(() => onTop(isAtTop), [onTop, isAtTop]);

  return (
    <div className={styles.frame}>
      {waiting > 0 && (
        <Button
          className={styles.waiting}
          onClick={() => {
            onShowWaiting();
            setCurrent(-1);
            goTop();
          }}
        >
          show {plural(waiting, "new trace")} ↑
        </Button>
      )}
      <div ref={scroller} className={classes(styles.scroller, list.stale && styles.stale)} style={{ "--attributes": columns.length }} onScroll={remember}>
        <div role="table" aria-label={`traces, ${order} first`} aria-rowcount={list.hasMore ? -1 : hits.length + 1} aria-busy={list.state === "first" || list.stale}>
          <div role="rowgroup" className={styles.head}>
            <div role="row" aria-rowindex={1} className={styles.row}>
              <span role="columnheader">root</span>
              <span role="columnheader">services</span>
              {columns.map((label) => (
                <span key={label} role="columnheader" className={styles.label} title={label}>
                  {label}
                </span>
              ))}
              <SortHeader words="start" isOn={order === "newest"} label="newest first" onSort={() => onOrder("newest")} />
              <SortHeader words="duration" isOn={order === "slowest"} label="slowest first" onSort={() => onOrder("slowest")} />
              <span role="columnheader" className={styles.number}>
                spans
              </span>
              <span role="columnheader" className={styles.number}>
                errors
              </span>
            </div>
          </div>
          <div role="rowgroup" className={styles.body} style={{ height: virtual.getTotalSize() }}>
            {items.map((item) => {
              const hit = hits[item.index];
              return (
                hit && (
                  <TraceRow
                    key={hit.id}
                    hit={hit}
                    row={item.index}
                    top={item.start}
                    height={rowHeight}
                    atMatch={atMatch}
                    longest={longest}
                    now={now}
                    slotOf={slotOf}
                    columns={columns}
                    isOpen={opened.has(hit.id)}
                    onToggle={toggle}
                    isCurrent={item.index === current}
                    onFocus={setCurrent}
                  />
                )
              );
            })}
          </div>
        </div>
        {list.state === "first" && <Skeleton rowHeight={rowHeight} />}
      </div>
      {base && (
        <p role="status" className={styles.comparing}>
          compare <b>{base.root?.name ?? shortId(base.id)}</b> of {formatDuration(base.duration)} with: press <kbd>c</kbd> on another trace
          <Button look="bare" onClick={() => setBase(null)}>
            stop
          </Button>
        </p>
      )}
    </div>
  );
}

interface SortHeaderProps {
  readonly words: string;
  readonly label: string;
  readonly isOn: boolean;
  readonly onSort: () => void;
}

function SortHeader({ words, label, isOn, onSort }: SortHeaderProps) {
  return (
    <span role="columnheader" aria-sort={isOn ? "descending" : "none"}>
      <button type="button" className={styles.sort} title={label} onClick={onSort}>
        {words}
        {isOn && " ↓"}
      </button>
    </span>
  );
}

/** Where rows will be, until the first answer; it appears late enough that a local server never shows it. */
function Skeleton({ rowHeight }: { readonly rowHeight: number }) {
  return (
    <div aria-hidden="true" className={styles.skeleton}>
      {Array.from({ length: SKELETON_ROWS }, (_, i) => (
        <div key={i} style={{ height: rowHeight }}>
          <span />
        </div>
      ))}
    </div>
  );
}
