/** The rows that are in sight, each with what it needs to know of its span and no more, so that most of them need no work while scrolling. */
import { useMemo } from "react";
import { at } from "../../base/arrays.ts";
import { isError } from "../../model/span.ts";
import { foldAt, type Folds } from "../../trace/folds.ts";
import type { Insight } from "../../trace/insight.ts";
import type { Rows, Shape } from "../../trace/rows.ts";
import type { TraceTree } from "../../trace/tree.ts";
import { SpanRow } from "./SpanRow.tsx";

interface SpanRowsProps {
  readonly tree: TraceTree;
  readonly folds: Folds;
  readonly rows: Rows;
  /** The rows in sight, `last` exclusive. */
  readonly first: number;
  readonly last: number;
  readonly shape: Shape;
  readonly insight: Insight | null;
  readonly current: number | null;
  readonly matches: Int32Array;
  readonly slotAt: (position: number) => number;
  readonly rowHeight: number;
  readonly nameWidth: number;
}

const INDENT_PX = 14;
/** Deep trees are indented in smaller steps, so that names keep most of their column. */
const INDENT_SHARE_MAX = 0.35;

export function SpanRows({ tree, folds, rows, first, last, shape, insight, current, matches, slotAt, rowHeight, nameWidth }: SpanRowsProps) {
  // A match that has no row of its own marks the row that hides it.
  const matched = useMemo(() => new Set(Array.from(matches, (p) => at(rows.rowAt, p))), [matches, rows]);
  const currentRow = current === null ? -1 : at(rows.rowAt, current);
  const indentPx = Math.min(INDENT_PX, (nameWidth * INDENT_SHARE_MAX) / Math.max(1, rows.depthMax));
  return Array.from({ length: Math.max(0, Math.min(last, rows.length) - first) }, (_, i) => {
    const row = first + i;
    const position = at(rows.positions, row);
    const span = at(tree.spans, position);
    const members = rows.folded.get(row) ?? [position];
    const fold = foldAt(folds, position);
    return (
      <SpanRow
        key={span.id}
        span={span}
        position={position}
        row={row}
        top={row * rowHeight}
        depth={at(rows.depth, row)}
        indentPx={indentPx}
        slot={slotAt(position)}
        descendants={at(tree.descendants, position)}
        hasError={members.some((p) => isError(at(tree.spans, p)))}
        errorsBelow={members.reduce((sum, p) => sum + at(tree.errorsBelow, p), 0)}
        folded={rows.folded.has(row) ? members.length : 0}
        foldable={fold !== null && fold.id === span.id && shape.unfolded.has(fold.id) ? fold.members.length : 0}
        isCollapsed={shape.collapsed.has(span.id)}
        isCurrent={row === currentRow}
        isMatch={matched.has(row)}
        isOrphan={span.parentId !== null && at(tree.parent, position) === -1}
        shift={insight ? at(insight.shift, position) : 0}
        critical={insight ? at(insight.critical, position) : 0}
        isDetached={insight !== null && at(insight.detached, position) === 1}
      />
    );
  });
}
