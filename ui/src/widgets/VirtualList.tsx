/** A list of any length with rows of one height, of which only those in sight exist. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";
import styles from "./VirtualList.module.css";

interface VirtualListProps {
  readonly label: string;
  readonly count: number;
  readonly rowHeight: number;
  /** Scrolled to when it changes; null for none. */
  readonly current?: number | null;
  /** The cells of a row. */
  readonly row: (index: number) => ReactNode;
  readonly rowClass?: (index: number) => string | undefined;
  readonly onPick?: (index: number) => void;
}

const OVERSCAN = 12;

export function VirtualList({ label, count, rowHeight, current = null, row, rowClass, onPick }: VirtualListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count, getScrollElement: () => scroller.current, estimateSize: () => rowHeight, overscan: OVERSCAN });
  useEffect(() => {
    if (current !== null && current >= 0) virtual.scrollToIndex(current, { align: "auto" });
  }, [virtual, current]);
  return (
    <div ref={scroller} className={styles.scroller} tabIndex={0} role="region" aria-label={label}>
      <div role="list" className={styles.body} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => (
          <div
            key={index}
            role="listitem"
            aria-setsize={count}
            aria-posinset={index + 1}
            className={[styles.row, rowClass?.(index)].filter(Boolean).join(" ")}
            style={{ height: rowHeight, transform: `translateY(${start}px)` }}
            onClick={() => onPick?.(index)}
          >
            {row(index)}
          </div>
        ))}
      </div>
    </div>
  );
}
