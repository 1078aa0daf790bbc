/** One row of the waterfall as an element: what is read, focused and clicked. Its bar is on the canvas behind it. */
import { memo } from "react";
import { formatCount, formatDuration, plural } from "../../base/format.ts";
import { duration } from "../../base/time.ts";
import { isError, type Span } from "../../model/span.ts";
import { classes } from "../../widgets/controls.tsx";
import { ChevronIcon, ErrorIcon, KindIcon } from "../../widgets/icons.tsx";
import styles from "./Waterfall.module.css";

interface SpanRowProps {
  readonly span: Span;
  /** In the tree; what clicks report. */
  readonly position: number;
  /** In the list of visible rows. */
  readonly row: number;
  readonly top: number;
  readonly depth: number;
  readonly indentPx: number;
  readonly slot: number;
  readonly descendants: number;
  readonly errorsBelow: number;
  readonly isCollapsed: boolean;
  readonly isCurrent: boolean;
  readonly isMatch: boolean;
  readonly isOrphan: boolean;
}

export const rowId = (span: Span): string => `span-${span.id}`;

export const SpanRow = memo(function SpanRow(props: SpanRowProps) {
  const { span, position, row, top, depth, indentPx, slot, descendants, errorsBelow, isCollapsed, isCurrent, isMatch, isOrphan } = props;
  const hasChildren = descendants > 0;
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
      style={{ transform: `translateY(${top}px)` }}
    >
      <div role="gridcell" className={styles.name} title={`${span.resource.service} · ${span.name}`}>
        <span className={styles.indent} style={{ width: depth * indentPx, backgroundSize: `${indentPx}px 100%` }} />
        <span data-toggle={hasChildren ? "" : undefined} className={classes(styles.toggle, hasChildren && !isCollapsed && styles.open)}>
          {hasChildren && <ChevronIcon size={11} />}
        </span>
        <span className={styles.colour} style={{ background: `var(--service-${slot})` }} />
        {isError(span) && (
          <span className={styles.error}>
            <ErrorIcon size={12} />
            <span className="aside">error </span>
          </span>
        )}
        {isCollapsed && errorsBelow > 0 && !isError(span) && (
          <span className={classes(styles.error, styles.errorBelow)} title={`${plural(errorsBelow, "error")} below`}>
            <ErrorIcon size={12} />
            <span className="aside">errors below </span>
          </span>
        )}
        <span className={styles.service}>{span.resource.service}</span>
        <span className={styles.kind} title={span.kind}>
          <KindIcon kind={span.kind} />
        </span>
        <span className={styles.operation}>{span.name || "(no name)"}</span>
        {isOrphan && (
          <span className={styles.note} title={`its parent ${span.parentId} is not in this trace`}>
            no parent
          </span>
        )}
        {isCollapsed && <span className={styles.note}>+{formatCount(descendants)}</span>}
      </div>
      <div role="gridcell" className={styles.cell}>
        <span className="aside">
          {formatDuration(span.duration)}, starts at {formatDuration(duration(span.start))}
        </span>
      </div>
    </div>
  );
});
