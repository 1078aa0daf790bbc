/** The rows that are in sight, each with what it needs to know of its span and no more, so that most of them need no work while scrolling. */
import { useMemo } from "react";
import { at } from "../../base/arrays.ts";
import type { SpanId } from "../../base/ids.ts";
import type { Rows } from "../../trace/rows.ts";
import type { TraceTree } from "../../trace/tree.ts";
import { SpanRow } from "./SpanRow.tsx";

interface SpanRowsProps {
  readonly tree: TraceTree;
  readonly rows: Rows;
  /** The rows in sight, `last` exclusive. */
  readonly first: number;
  readonly last: number;
  readonly collapsed: ReadonlySet<SpanId>;
  readonly current: number | null;
  readonly matches: Int32Array;
  readonly slotAt: (position: number) => number;
  readonly rowHeight: number;
  readonly nameWidth: number;
}

const INDENT_PX = 14;
/** Deep trees are indented in smaller steps, so that names keep most of their column. */
const INDENT_SHARE_MAX = 0.35;

export function SpanRows({ tree, rows, first, last, collapsed, current, matches, slotAt, rowHeight, nameWidth }: SpanRowsProps) {
  const matched = useMemo(() => new Set(matches), [matches]);
  const indentPx = Math.min(INDENT_PX, (nameWidth * INDENT_SHARE_MAX) / Math.max(1, tree.depthMax));
  return Array.from(rows.subarray(first, last), (position, i) => {
    const span = at(tree.spans, position);
    return (
      <SpanRow
        key={span.id}
        span={span}
        position={position}
        row={first + i}
        top={(first + i) * rowHeight}
        depth={at(tree.depth, position)}
        indentPx={indentPx}
        slot={slotAt(position)}
        descendants={at(tree.descendants, position)}
        errorsBelow={at(tree.errorsBelow, position)}
        isCollapsed={collapsed.has(span.id)}
        isCurrent={position === current}
        isMatch={matched.has(position)}
        isOrphan={span.parentId !== null && at(tree.parent, position) === -1}
      />
    );
  });
}
