/** One trace of the list. The whole row is the link, so that it opens in a new tab as any link does. */
import { memo, useEffect, useRef } from "react";
import { Link } from "wouter";
import { formatAgo, formatCount, formatDuration, formatInstant, formatIsoNanos, plural } from "../../base/format.ts";
import type { Hit } from "../../model/hit.ts";
import { valuesUnder } from "../../query/columns.ts";
import { traceAddress } from "../../state/trace_url.ts";
import type { SlotOf } from "../../trace/colours.ts";
import { classes } from "../../widgets/controls.tsx";
import { ChevronIcon, ErrorIcon } from "../../widgets/icons.tsx";
import { firstMatch } from "./matched.ts";
import { MatchedSpans } from "./MatchedSpans.tsx";
import { ServicePills } from "./ServicePills.tsx";
import styles from "./TraceTable.module.css";

interface TraceRowProps {
  readonly hit: Hit;
  readonly row: number;
  readonly top: number;
  /** Of the trace's own line; the spans that matched are below it. */
  readonly height: number;
  /** Whether the trace is opened at its first match. */
  readonly atMatch: boolean;
  /** Attributes that have a column. */
  readonly columns: readonly string[];
  /** The longest duration shown: the full width of the bar. */
  readonly longest: number;
  readonly now: number;
  readonly slotOf: SlotOf;
  readonly isCurrent: boolean;
  readonly isOpen: boolean;
  readonly onToggle: (row: number) => void;
  readonly onFocus: (row: number) => void;
}

export const TraceRow = memo(function TraceRow(props: TraceRowProps) {
  const { hit, row, top, height, atMatch, columns, longest, now, slotOf, isCurrent, isOpen, onToggle, onFocus } = props;
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (isCurrent) link.current?.focus({ preventScroll: true });
  }, [isCurrent]);
  const focus = atMatch ? firstMatch(hit) : null;
  const share = longest > 0 ? Math.max(0, hit.duration) / longest : 0;
  return (
    <div className={classes(styles.trace, isOpen && styles.opened)} style={{ transform: `translateY(${top}px)` }}>
      <div
        role="row"
        aria-rowindex={row + 2}
        className={classes(styles.row, styles.main)}
        style={{ height }}
        onClick={(event) => {
          // What lies above the link for its tooltip still opens the trace.
          if (event.target instanceof Element && !event.target.closest("a, button")) link.current?.click();
        }}
      >
        <span role="cell" className={styles.root}>
          {hit.matched > 0 && (
            <button type="button" className={styles.toggle} aria-expanded={isOpen} aria-label={`${plural(hit.matched, "span")} matched`} tabIndex={-1} onClick={() => onToggle(row)}>
              <ChevronIcon size={12} />
              <span className={styles.matched}>{formatCount(hit.matched)}</span>
            </button>
          )}
          <Link ref={link} href={traceAddress(hit.id, focus?.id ?? null)} className={styles.link} onFocus={() => onFocus(row)}>
            {hit.root ? (
              <>
                <b>{hit.root.service}</b> <span>{hit.root.name}</span>
              </>
            ) : (
              <i>no root span yet</i>
            )}
          </Link>
          {hit.partial && (
            <span className={styles.partial} title="not all of this trace is here (or not yet)">
              partial
            </span>
          )}
        </span>
        <span role="cell" className={styles.services}>
          <ServicePills services={hit.services} slotOf={slotOf} />
        </span>
        {columns.map((label) => (
          <AttributeCell key={label} values={valuesUnder(hit, label)} />
        ))}
        <span role="cell" className={styles.start}>
          <time dateTime={formatIsoNanos(hit.start)} title={`${formatInstant(hit.start)}\n${hit.id}`}>
            {formatAgo(hit.start, now)}
          </time>
        </span>
        <span role="cell" className={styles.duration}>
          <span className={styles.bar} style={{ inlineSize: `${share * 100}%` }} />
          <span className={styles.durationText}>{formatDuration(hit.duration)}</span>
        </span>
        <span role="cell" className={styles.number}>
          <span className={styles.unit}>{plural(hit.spans, "span")}</span>
          <span className={styles.bareNumber}>{formatCount(hit.spans)}</span>
        </span>
        <span role="cell" className={classes(styles.number, hit.errors > 0 && styles.errors)}>
          {hit.errors > 0 && (
            <>
              <ErrorIcon size={12} /> {formatCount(hit.errors)}
              <span className="aside"> with an error</span>
            </>
          )}
        </span>
      </div>
      {isOpen && (
        <div role="row">
          <div role="cell">
            <MatchedSpans hit={hit} columns={columns} slotOf={slotOf} />
          </div>
        </div>
      )}
    </div>
  );
});

/** More values than one are counted; all of them are in the tooltip. */
function AttributeCell({ values }: { readonly values: readonly string[] }) {
  return (
    <span role="cell" className={styles.attribute} title={values.join("\n")}>
      {values[0]}
      {values.length > 1 && <span className={styles.others}> +{values.length - 1}</span>}
    </span>
  );
}
