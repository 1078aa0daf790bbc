/** The rows that are in sight, block by block, each row with what it needs to know of its span and no more: what stays in sight needs no work while scrolling. */
import { memo, useMemo } from "react";
import { at } from "../../base/arrays.ts";
import { isError } from "../../model/span.ts";
import { BLOCK_ROWS, type Blocks } from "../../trace/blocks.ts";
import { foldAt, type Folds } from "../../trace/folds.ts";
import type { Insight } from "../../trace/insight.ts";
import type { Rows, Shape } from "../../trace/rows.ts";
import type { TraceTree } from "../../trace/tree.ts";
import { SpanRow } from "./SpanRow.tsx";
import styles from "./Waterfall.module.css";

interface SpanRowsProps {
  readonly tree: TraceTree;
  readonly folds: Folds;
  readonly rows: Rows;
  readonly blocks: Blocks;
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

export function SpanRows(props: SpanRowsProps) {
  const { tree, folds, rows, blocks, shape, insight, current, matches, slotAt, rowHeight, nameWidth } = props;
  // A match that has no row of its own marks the row that hides it.
  const matched = useMemo(() => new Set(Array.from(matches, (p) => at(rows.rowAt, p))), [matches, rows]);
  const currentRow = current === null ? -1 : at(rows.rowAt, current);
  const indentPx = Math.min(INDENT_PX, (nameWidth * INDENT_SHARE_MAX) / Math.max(1, rows.depthMax));
  return Array.from({ length: blocks.last - blocks.first }, (_, i) => {
    const first = (blocks.first + i) * BLOCK_ROWS;
    const last = Math.min(first + BLOCK_ROWS, rows.length);
    return (
      // What went out of sight at one end is used again at the other: elements are changed rather than made.
      <RowBlock
        key={(blocks.first + i) % blocks.most}
        tree={tree}
        folds={folds}
        rows={rows}
        first={first}
        last={last}
        shape={shape}
        insight={insight}
        currentRow={currentRow >= first && currentRow < last ? currentRow : -1}
        matched={matched}
        slotAt={slotAt}
        top={first * rowHeight}
        indentPx={indentPx}
      />
    );
  });
}

interface RowBlockProps extends Pick<SpanRowsProps, "tree" | "folds" | "rows" | "shape" | "insight" | "slotAt"> {
  /** Its rows, `last` exclusive. */
  readonly first: number;
  readonly last: number;
  /** -1 when it is none of them. */
  readonly currentRow: number;
  readonly matched: ReadonlySet<number>;
  readonly top: number;
  readonly indentPx: number;
}

const RowBlock = memo(function RowBlock({ tree, folds, rows, first, last, shape, insight, currentRow, matched, slotAt, top, indentPx }: RowBlockProps) {
  return (
    <div role="none" className={styles.block} style={{ top }}>
      {Array.from({ length: last - first }, (_, i) => {
        const row = first + i;
        const position = at(rows.positions, row);
        const span = at(tree.spans, position);
        const members = rows.folded.get(row) ?? [position];
        const fold = foldAt(folds, position);
        return (
          <SpanRow
            key={i}
            span={span}
            position={position}
            row={row}
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
            isOfParentsService={at(rows.depth, row) > 0 && isOfParentsService(tree, position)}
            isOrphan={span.parentId !== null && at(tree.parent, position) === -1}
            shift={insight ? at(insight.shift, position) : 0}
            critical={insight ? at(insight.critical, position) : 0}
            isDetached={insight !== null && at(insight.detached, position) === 1}
          />
        );
      })}
    </div>
  );
});

function isOfParentsService(tree: TraceTree, position: number): boolean {
  const parent = at(tree.parent, position);
  return parent >= 0 && at(tree.spans, parent).resource.service === at(tree.spans, position).resource.service;
}
