/** What is different about the selected spans: attributes whose values are spread otherwise than among the rest. */
import { formatCount } from "../../../base/format.ts";
import type { TimeRange } from "../../../model/summary.ts";
import type { Condition } from "../../../query/chips.ts";
import type { Box, Selection } from "../../../query/compose.ts";
import { useDifference } from "../../../state/charts.ts";
import { Button, classes, IconButton, Notice } from "../../../widgets/controls.tsx";
import { CloseIcon } from "../../../widgets/icons.tsx";
import { DurationField } from "../DurationField.tsx";
import { InstantField } from "../TimePicker.tsx";
import { AttributeCard } from "./AttributeCard.tsx";
import styles from "./Difference.module.css";

interface DifferencePanelProps {
  readonly query: string;
  readonly range: TimeRange;
  readonly selection: Selection;
  readonly onSelect: (selection: Selection | null) => void;
  /** Makes the selection the search. */
  readonly onKeep: () => void;
  readonly onNarrow: (condition: Condition) => void;
}

/** More is read by nobody at night. */
const ATTRIBUTES_MAX = 25;

export function DifferencePanel({ query, range, selection, onSelect, onKeep, onNarrow }: DifferencePanelProps) {
  const { difference, error, stale, isFirst, refresh } = useDifference(query, range, selection);
  return (
    <aside className={styles.panel} aria-label="what is different">
      <header className={styles.head}>
        <h2>What is different</h2>
        <Button onClick={onKeep} title="the selection becomes the query">
          keep only these
        </Button>
        <IconButton look="bare" label="select nothing" onClick={() => onSelect(null)}>
          <CloseIcon />
        </IconButton>
      </header>
      {selection.type === "box" ? <BoxFields box={selection.box} onBox={(box) => onSelect({ type: "box", box })} /> : <p className={styles.what}>spans that failed</p>}
      {error && (
        <Notice look="failed" action={<Button onClick={refresh}>try again</Button>}>
          {error.message}
        </Notice>
      )}
      {difference && (
        <div className={classes(styles.content, stale && styles.stale)} tabIndex={0} role="region" aria-label="attributes that differ" aria-busy={stale}>
          <p className={styles.legend}>
            <span className={classes(styles.key, styles.selected)} /> {formatCount(difference.selected)} selected
            <span className={classes(styles.key, styles.rest)} /> {formatCount(difference.rest)} others
          </p>
          {difference.attributes.slice(0, ATTRIBUTES_MAX).map((attribute) => (
            <AttributeCard key={attribute.field} attribute={attribute} onNarrow={onNarrow} />
          ))}
          {difference.attributes.length === 0 && <p className={styles.none}>{noneWords(difference.selected, difference.rest)}</p>}
        </div>
      )}
      {isFirst && !error && <p className={styles.none}>comparing…</p>}
    </aside>
  );
}

function noneWords(selected: number, rest: number): string {
  if (selected === 0) return "No span is selected: draw the box where there are some.";
  if (rest === 0) return "Every span is selected: there is nothing to compare with.";
  return "No attribute tells these spans from the others: their values are spread alike, or there are too few spans to be sure.";
}

/** The box as numbers, for those who do not drag. */
function BoxFields({ box, onBox }: { readonly box: Box; readonly onBox: (box: Box) => void }) {
  const { start, end, min, max } = box;
  return (
    <div className={styles.fields} role="group" aria-label="the box">
      <InstantField label="selected from" value={start} onChange={(next) => next !== null && next < end && onBox({ ...box, start: next })} />
      <span aria-hidden="true">–</span>
      <InstantField label="selected to" value={end} onChange={(next) => next !== null && next > start && onBox({ ...box, end: next })} />
      <DurationField label="selected shortest" placeholder="0ms" value={min} onCommit={(next) => next !== null && next < max && onBox({ ...box, min: next })} />
      <span aria-hidden="true">–</span>
      <DurationField label="selected longest" placeholder="1h" value={max} onCommit={(next) => next !== null && next > min && onBox({ ...box, max: next })} />
    </div>
  );
}
