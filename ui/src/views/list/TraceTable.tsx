/** The rows of the list: virtual, keyboard first, the next page fetched before the end is reached. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import type { Order } from "../../model/summary.ts";
import { useNow } from "../../state/clock.ts";
import { useKeys } from "../../state/keys.ts";
import { type TraceList, useSlots } from "../../state/queries.ts";
import { scrollMemory } from "../../state/stored.ts";
import { classes } from "../../widgets/controls.tsx";
import { NARROW, useMedia } from "../../widgets/useMedia.ts";
import { TraceRow } from "./TraceRow.tsx";
import styles from "./TraceTable.module.css";

interface TraceTableProps {
  /** Under which name the place in the list is remembered. */
  readonly memoryKey: string;
  readonly list: TraceList;
  readonly order: Order;
  /** Tells whether the first row is in sight. */
  readonly onTop: (atTop: boolean) => void;
}

const ROW_PX = 30;
const ROW_NARROW_PX = 50;
/** The next page is asked for when so few rows are left below. */
const ROWS_AHEAD = 40;
const SKELETON_ROWS = 12;

export function TraceTable({ memoryKey, list, order, onTop }: TraceTableProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const now = useNow();
  const slotOf = useSlots();
  const isNarrow = useMedia(NARROW);
  const rowHeight = isNarrow ? ROW_NARROW_PX : ROW_PX;
  const { traces } = list;
  const virtual = useVirtualizer({
    count: traces.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    initialOffset: scrollMemory.get(memoryKey) ?? 0,
  });
  useEffect(() => virtual.measure(), [virtual, rowHeight]);

  const [current, setCurrent] = useState(-1);
  const goTo = (row: number): void => {
    if (traces.length === 0) return;
    const next = Math.min(Math.max(row, 0), traces.length - 1);
    setCurrent(next);
    virtual.scrollToIndex(next);
  };
  useKeys({
    j: () => goTo(current + 1),
    ArrowDown: () => goTo(current + 1),
    k: () => goTo(current - 1),
    ArrowUp: () => goTo(current - 1),
    Home: () => goTo(0),
    End: () => goTo(traces.length - 1),
  });

  const items = virtual.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  const needsMore = list.hasMore && !list.fetching && !list.stale && !list.error && lastShown >= traces.length - ROWS_AHEAD;
  const { more } = list;
  useEffect(() => {
    if (needsMore) more();
  });

  const longest = traces.reduce((most, trace) => Math.max(most, trace.duration), 0);
  const remember = (): void => {
    const top = scroller.current?.scrollTop ?? 0;
    scrollMemory.set(memoryKey, top);
    onTop(top < ROW_PX);
  };

  return (
    <div ref={scroller} className={classes(styles.scroller, list.stale && styles.stale)} onScroll={remember}>
      <div role="table" aria-label={`traces, ${order} first`} aria-rowcount={list.hasMore ? -1 : traces.length + 1} aria-busy={list.state === "first"}>
        <div role="rowgroup" className={styles.head}>
          <div role="row" aria-rowindex={1} className={styles.row}>
            <span role="columnheader">root</span>
            <span role="columnheader">services</span>
            <span role="columnheader">start</span>
            <span role="columnheader">duration</span>
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
            const trace = traces[item.index];
            return (
              trace && (
                <TraceRow
                  key={trace.id}
                  trace={trace}
                  row={item.index}
                  top={item.start}
                  height={rowHeight}
                  longest={longest}
                  now={now}
                  slotOf={slotOf}
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
