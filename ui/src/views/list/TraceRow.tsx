/** One trace of the list. The whole row is the link, so that it opens in a new tab as any link does. */
import { memo, useEffect, useRef } from "react";
import { Link } from "wouter";
import { formatAgo, formatCount, formatDuration, formatInstant, formatIsoNanos, plural } from "../../base/format.ts";
import type { TraceSummary } from "../../model/summary.ts";
import { traceAddress } from "../../state/trace_url.ts";
import type { SlotOf } from "../../trace/colours.ts";
import { classes } from "../../widgets/controls.tsx";
import { ErrorIcon } from "../../widgets/icons.tsx";
import { ServicePills } from "./ServicePills.tsx";
import styles from "./TraceTable.module.css";

interface TraceRowProps {
  readonly trace: TraceSummary;
  readonly row: number;
  readonly top: number;
  readonly height: number;
  /** The longest duration shown: the full width of the bar. */
  readonly longest: number;
  readonly now: number;
  readonly slotOf: SlotOf;
  readonly isCurrent: boolean;
  readonly onFocus: (row: number) => void;
}

export const TraceRow = memo(function TraceRow({ trace, row, top, height, longest, now, slotOf, isCurrent, onFocus }: TraceRowProps) {
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (isCurrent) link.current?.focus({ preventScroll: true });
  }, [isCurrent]);
  const share = longest > 0 ? Math.max(0, trace.duration) / longest : 0;
  return (
    <div
      role="row"
      aria-rowindex={row + 2}
      className={classes(styles.row, styles.trace)}
      style={{ height, transform: `translateY(${top}px)` }}
      onClick={(event) => {
        // What lies above the link for its tooltip still opens the trace.
        if (event.target instanceof Element && !event.target.closest("a")) link.current?.click();
      }}
    >
      <span role="cell" className={styles.root}>
        <Link ref={link} href={traceAddress(trace.id)} className={styles.link} onFocus={() => onFocus(row)}>
          {trace.root ? (
            <>
              <b>{trace.root.service}</b> <span>{trace.root.name}</span>
            </>
          ) : (
            <i>no root span yet</i>
          )}
        </Link>
        {trace.partial && (
          <span className={styles.partial} title="not all of this trace is here (or not yet)">
            partial
          </span>
        )}
      </span>
      <span role="cell" className={styles.services}>
        <ServicePills services={trace.services} slotOf={slotOf} />
      </span>
      <span role="cell" className={styles.start}>
        <time dateTime={formatIsoNanos(trace.start)} title={`${formatInstant(trace.start)}\n${trace.id}`}>
          {formatAgo(trace.start, now)}
        </time>
      </span>
      <span role="cell" className={styles.duration}>
        <span className={styles.bar} style={{ inlineSize: `${share * 100}%` }} />
        <span className={styles.durationText}>{formatDuration(trace.duration)}</span>
      </span>
      <span role="cell" className={styles.number}>
        <span className={styles.unit}>{plural(trace.spans, "span")}</span>
        <span className={styles.bareNumber}>{formatCount(trace.spans)}</span>
      </span>
      <span role="cell" className={classes(styles.number, trace.errors > 0 && styles.errors)}>
        {trace.errors > 0 && (
          <>
            <ErrorIcon size={12} /> {formatCount(trace.errors)}
            <span className="aside"> with an error</span>
          </>
        )}
      </span>
    </div>
  );
});
