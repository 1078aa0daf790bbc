/** One row of the waterfall as an element: what is read, focused and clicked. Its bar is on the canvas behind it. */
import { memo } from "react";
import { formatCount, formatDuration, plural } from "../../base/format.ts";
import { duration } from "../../base/time.ts";
import type { Span } from "../../model/span.ts";
import { shortName } from "../../trace/words.ts";
import { classes } from "../../widgets/controls.tsx";
import { ChevronIcon, ClockIcon, ErrorIcon, KindIcon } from "../../widgets/icons.tsx";
import styles from "./Waterfall.module.css";

interface SpanRowProps {
  readonly span: Span;
  /** In the tree; what clicks report. */
  readonly position: number;
  /** In the list of visible rows. */
  readonly row: number;
  readonly depth: number;
  readonly indentPx: number;
  readonly slot: number;
  readonly descendants: number;
  /** Of the span, or of one of the folded ones. */
  readonly hasError: boolean;
  readonly errorsBelow: number;
  /** How many siblings share the row; 0 when it is the span's alone. */
  readonly folded: number;
  /** How many siblings could be folded into this row; 0 when none. */
  readonly foldable: number;
  readonly isCollapsed: boolean;
  readonly isCurrent: boolean;
  readonly isMatch: boolean;
  readonly isOrphan: boolean;
  /** Whether its parent is of the same service: where there is little room the colour says that. */
  readonly isOfParentsService: boolean;
  /** What correction of clocks added, in nanoseconds. */
  readonly shift: number;
  /** Own time on the critical path, in nanoseconds. */
  readonly critical: number;
  readonly isDetached: boolean;
}

const signed = (ns: number): string => `${ns > 0 ? "+" : ""}${formatDuration(duration(ns))}`;

export const rowId = (span: Span): string => `span-${span.id}`;

export const SpanRow = memo(function SpanRow(props: SpanRowProps) {
  const { span, position, row, depth, indentPx, slot, descendants, errorsBelow, folded, foldable, isCurrent, isMatch, isOrphan } = props;
  const isCollapsed = props.isCollapsed || folded > 0;
  const hasChildren = descendants > 0 || folded > 0;
  return (
    <div
      role="row"
      id={rowId(span)}
      data-position={position}
      aria-level={depth + 1}
      aria-rowindex={row + 2}
      aria-expanded={hasChildren ? !isCollapsed : undefined}
      aria-selected={isCurrent}
      className={classes(styles.row, isMatch && styles.match, isCurrent && styles.current)}
    >
      <div role="gridcell" className={styles.name} title={`${span.resource.service} · ${span.name}`}>
        <span className={styles.indent} style={{ width: depth * indentPx, backgroundSize: `${indentPx}px 100%` }} />
        <span data-toggle={hasChildren ? "" : undefined} className={classes(styles.toggle, hasChildren && !isCollapsed && styles.open)}>
          {hasChildren && <ChevronIcon size={11} />}
        </span>
        <span className={styles.colour} style={{ background: `var(--service-${slot})` }} />
        {props.hasError && (
          <span className={styles.error}>
            <ErrorIcon size={12} />
            <span className="aside">error </span>
          </span>
        )}
        {isCollapsed && errorsBelow > 0 && !props.hasError && (
          <span className={classes(styles.error, styles.errorBelow)} title={`${plural(errorsBelow, "error")} below`}>
            <ErrorIcon size={12} />
            <span className="aside">errors below </span>
          </span>
        )}
        <span className={classes(styles.service, props.isOfParentsService && styles.inherited)}>{span.resource.service}</span>
        <span className={styles.kind} title={span.kind}>
          <KindIcon kind={span.kind} />
        </span>
        <span className={styles.operation}>{shortName(span.name) || "(no name)"}</span>
        {isOrphan && (
          <span className={styles.note} title={`its parent ${span.parentId} is not in this trace`}>
            no parent
          </span>
        )}
        {folded > 0 && (
          <span className={classes(styles.note, styles.times)} title={`${formatCount(folded)} calls of this kind in one row; the arrow or x unfolds them`}>
            ×{formatCount(folded)}
          </span>
        )}
        {foldable > 0 && (
          <span className={classes(styles.note, styles.foldable)} data-fold="" title={`fold ${formatCount(foldable)} calls of this kind into one row (x)`}>
            ×{formatCount(foldable)} fold
          </span>
        )}
        {isCollapsed && folded === 0 && <span className={styles.note}>+{formatCount(descendants)}</span>}
        {props.shift !== 0 && (
          <span className={classes(styles.note, styles.clock)} title={`its clock differs: moved by ${signed(props.shift)}; dashed is where it was recorded`}>
            <ClockIcon size={11} />
            <span className="aside">moved by {signed(props.shift)}</span>
          </span>
        )}
      </div>
      {/* A label, not words out of sight: those would be laid out and painted in each row that scrolls by. */}
      <div role="gridcell" className={styles.cell} aria-label={timesOf(props)} />
    </div>
  );
});

function timesOf({ span, critical, isDetached }: SpanRowProps): string {
  const path = critical > 0 ? `, on the critical path for ${formatDuration(duration(critical))}` : "";
  return `${formatDuration(span.duration)}, starts at ${formatDuration(duration(span.start))}${path}${isDetached ? ", nobody waits for it" : ""}`;
}
