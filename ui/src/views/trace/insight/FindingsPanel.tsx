/** The findings of a trace, beside the waterfall: what was found, what it costs, what to do; choosing one marks its spans. */
import { at } from "../../../base/arrays.ts";
import { formatCount, formatDuration, plural } from "../../../base/format.ts";
import { duration } from "../../../base/time.ts";
import { findingNames, patternWords } from "../../../trace/findings.ts";
import type { Insight, PlacedFinding } from "../../../trace/insight.ts";
import type { TraceTree } from "../../../trace/tree.ts";
import { Button, classes, IconButton } from "../../../widgets/controls.tsx";
import { CloseIcon } from "../../../widgets/icons.tsx";
import styles from "./Insight.module.css";

interface FindingsPanelProps {
  readonly tree: TraceTree;
  readonly insight: Insight;
  /** The chosen one; null for none. */
  readonly name: string | null;
  readonly onShow: (name: string | null, positions: Int32Array) => void;
  readonly onGoTo: (position: number) => void;
  readonly onClose: () => void;
}

export function FindingsPanel({ tree, insight, name, onShow, onGoTo, onClose }: FindingsPanelProps) {
  const names = findingNames(tree, insight.findings);
  return (
    <aside className={styles.panel} aria-label="findings">
      <header className={styles.head}>
        <h2>{plural(insight.findings.length, "finding")}</h2>
        <IconButton look="bare" small label="close the findings" onClick={onClose}>
          <CloseIcon />
        </IconButton>
      </header>
      <ol className={styles.list} tabIndex={0} aria-label="list of findings">
        {insight.findings.map((finding, i) => {
          const own = at(names, i);
          const isChosen = own === name;
          return (
            <li key={own} className={classes(styles.finding, isChosen && styles.chosen)}>
              <button type="button" className={styles.title} aria-expanded={isChosen} onClick={() => onShow(isChosen ? null : own, finding.positions)}>
                <span className={styles.pattern}>{patternWords(finding.pattern)}</span>
                {finding.atStake > 0 && (
                  <span className={styles.stake} title="time on the critical path that could be saved at most">
                    {formatDuration(finding.atStake)} · {Math.round(finding.share * 100)} %
                  </span>
                )}
                <span className={styles.headline}>{finding.headline}</span>
              </button>
              {isChosen && <Explanation tree={tree} finding={finding} onGoTo={onGoTo} />}
            </li>
          );
        })}
        {insight.findingsLeftOut > 0 && <li className={styles.more}>{formatCount(insight.findingsLeftOut)} more of less time at stake</li>}
        {insight.findings.length === 0 && <li className={styles.more}>nothing that is worth a look was found</li>}
      </ol>
    </aside>
  );
}

/** More are reached with n and N. */
const SPANS_LISTED_MAX = 12;

interface ExplanationProps {
  readonly tree: TraceTree;
  readonly finding: PlacedFinding;
  readonly onGoTo: (position: number) => void;
}

function Explanation({ tree, finding, onGoTo }: ExplanationProps) {
  const { positions, spanCount } = finding;
  const listed = [...positions.subarray(0, SPANS_LISTED_MAX)];
  return (
    <div className={styles.explanation}>
      <p>{finding.sentence}</p>
      <p className={styles.advice}>{finding.advice}</p>
      <ul className={styles.spans}>
        {listed.map((position) => {
          const span = at(tree.spans, position);
          return (
            <li key={span.id}>
              <Button look="bare" className={styles.span} onClick={() => onGoTo(position)}>
                <b>{span.resource.service}</b> {span.name || "(no name)"} <span className={styles.soft}>
                  {formatDuration(span.duration)} at +{formatDuration(duration(span.start))}
                </span>
              </Button>
            </li>
          );
        })}
      </ul>
      <p className={styles.soft}>
        {spanCount > listed.length && `and ${formatCount(spanCount - listed.length)} more; `}
        {positions.length > 1 && (
          <>
            <kbd>n</kbd> and <kbd>N</kbd> step through {positions.length === spanCount ? "them" : `the first ${formatCount(positions.length)}`}
          </>
        )}
      </p>
    </div>
  );
}
