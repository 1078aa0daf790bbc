/** The union of two traces as a tree: for each path how often and how long in both, and what became of it. */
import { at } from "../../../base/arrays.ts";
import { formatCount, formatDuration } from "../../../base/format.ts";
import { type Duration, duration } from "../../../base/time.ts";
import type { Change, Comparison, ComparisonNode, Side } from "../../../model/comparison.ts";
import type { SlotOf } from "../../../trace/colours.ts";
import { comparisonRows } from "../../../trace/comparison.ts";
import { shortName } from "../../../trace/words.ts";
import { classes } from "../../../widgets/controls.tsx";
import { VirtualList } from "../../../widgets/VirtualList.tsx";
import styles from "./CompareView.module.css";

const ROW_PX = 26;
/** Changes below this share of the largest one are not worth a number. */
const SHARE_TOLD = 0.01;

/** Each change has a word and a sign besides its colour. */
const CHANGE_WORDS: Readonly<Record<Change, string>> = {
  same: "",
  missing: "− missing",
  extra: "+ extra",
  slower: "▲ slower",
  faster: "▼ faster",
};

export function ComparisonTree({ comparison, slotOf }: { readonly comparison: Comparison; readonly slotOf: SlotOf }) {
  const { nodes } = comparison;
  const { depth, most } = comparisonRows(nodes);
  return (
    <>
      <div className={classes(styles.row, styles.columns)} aria-hidden="true">
        <span>operation</span>
        <span className={styles.number}>
          this<span className={styles.whole}>: {formatDuration(comparison.left)}</span>
        </span>
        <span className={styles.number}>
          other<span className={styles.whole}>: {formatDuration(comparison.right)}</span>
        </span>
        <span />
        <span title="change of the time on the critical path">critical path</span>
      </div>
      <VirtualList
        label="operations of both traces"
        count={nodes.length}
        rowHeight={ROW_PX}
        rowClass={(i) => classes(styles.row, styles[at(nodes, i).change])}
        row={(i) => <NodeRow node={at(nodes, i)} depth={at(depth, i)} most={most} slot={slotOf(at(nodes, i).service)} />}
      />
    </>
  );
}

interface NodeRowProps {
  readonly node: ComparisonNode;
  readonly depth: number;
  /** The largest change of all nodes, which takes the whole width. */
  readonly most: number;
  readonly slot: number;
}

function NodeRow({ node, depth, most, slot }: NodeRowProps) {
  const change = node.criticalChange;
  const share = most > 0 ? Math.abs(change) / most : 0;
  return (
    <>
      <span className={styles.name} style={{ paddingLeft: `calc(${depth} * var(--indent))` }} title={`${node.service} ${node.name}`}>
        <span className={styles.colour} style={{ background: `var(--service-${slot})` }} />
        <span className={styles.words}>
          <b>{node.service}</b> {shortName(node.name)}
        </span>
      </span>
      <SideCell side={node.left} />
      <SideCell side={node.right} />
      <span className={styles.change}>{CHANGE_WORDS[node.change]}</span>
      <span className={styles.bars}>
        <span className={change < 0 ? styles.less : undefined} style={change < 0 ? { width: `${share * 50}%` } : undefined} />
        <span className={change > 0 ? styles.more : undefined} style={change > 0 ? { width: `${share * 50}%` } : undefined} />
        {share >= SHARE_TOLD && <span className={classes(styles.amount, change < 0 && styles.right)}>{signed(change)}</span>}
      </span>
    </>
  );
}

function SideCell({ side }: { readonly side: Side }) {
  if (side.count === 0) return <span className={classes(styles.number, styles.soft)}>–</span>;
  return (
    <span className={styles.number}>
      {side.count > 1 && <span className={styles.soft}>×{formatCount(side.count)} </span>}
      {side.errors > 0 && <span className={styles.errors}>{formatCount(side.errors)}! </span>}
      {formatDuration(side.total)}
    </span>
  );
}

const signed = (ns: Duration): string => `${ns > 0 ? "+" : "−"}${formatDuration(duration(Math.abs(ns)))}`;
