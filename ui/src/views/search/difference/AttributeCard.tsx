/** One attribute: how often each value occurs among the selected and among the others, as paired bars. */
import { useState } from "react";
import type { LabelValue } from "../../../model/series.ts";
import type { Condition } from "../../../query/chips.ts";
import type { AttributeDifference, ValueDifference } from "../../../query/difference.ts";
import { condition, foundValue } from "../../../query/edit.ts";
import { Button, classes, IconButton } from "../../../widgets/controls.tsx";
import { MinusIcon, PlusIcon } from "../../../widgets/icons.tsx";
import styles from "./Difference.module.css";

/** The first ones tell; the others are there for asking. */
const VALUES_SHOWN = 4;

export function AttributeCard({ attribute, onNarrow }: { readonly attribute: AttributeDifference; readonly onNarrow: (condition: Condition) => void }) {
  const [all, setAll] = useState(false);
  const { field, score, values } = attribute;
  const telling = values.filter(({ gap }) => gap !== 0).length;
  const shown = all ? values : values.slice(0, Math.min(VALUES_SHOWN, Math.max(telling, 2)));
  return (
    <section className={styles.attribute}>
      <h3 title={`${field}: ${Math.round(score * 100)} of 100 differ for sure`}>
        <span className={styles.name}>{field}</span>
        <span className={styles.score} role="img" aria-label={`differs by ${Math.round(score * 100)} %`}>
          <span style={{ inlineSize: `${Math.max(2, score * 100)}%` }} />
        </span>
      </h3>
      <ul>
        {shown.map((value) => (
          <ValueRow key={`${typeof value.value} ${value.value}`} field={field} difference={value} onNarrow={onNarrow} />
        ))}
      </ul>
      {values.length > shown.length && (
        <Button look="bare" className={styles.more} onClick={() => setAll(true)}>
          {values.length - shown.length} more
        </Button>
      )}
    </section>
  );
}

interface ValueRowProps {
  readonly field: string;
  readonly difference: ValueDifference;
  readonly onNarrow: (condition: Condition) => void;
}

function ValueRow({ field, difference, onNarrow }: ValueRowProps) {
  const { value, selected, rest } = difference;
  const words = `${field} = ${value}`;
  return (
    <li className={styles.value} title={`${words}\n${percent(selected)} of the selected, ${percent(rest)} of the others`}>
      <span className={styles.label}>{labelWords(value)}</span>
      <span className={styles.bars}>
        <span className={classes(styles.bar, styles.selected)} style={{ inlineSize: `${selected * 100}%` }} />
        <span className={classes(styles.bar, styles.rest)} style={{ inlineSize: `${rest * 100}%` }} />
      </span>
      <span className={styles.shares}>
        <span>
          {percent(selected)}
          <span className="aside"> of the selected</span>
        </span>
        <span className={styles.soft}>
          {percent(rest)}
          <span className="aside"> of the others</span>
        </span>
      </span>
      <span className={styles.acts}>
        <IconButton look="bare" small label={`only ${words}`} onClick={() => onNarrow(condition(field, "=", foundValue(field, value)))}>
          <PlusIcon size={12} />
        </IconButton>
        <IconButton look="bare" small label={`exclude ${words}`} onClick={() => onNarrow(condition(field, "!=", foundValue(field, value)))}>
          <MinusIcon size={12} />
        </IconButton>
      </span>
    </li>
  );
}

const labelWords = (value: LabelValue): string => (value === "" ? "(empty)" : String(value));

function percent(share: number): string {
  if (share === 0) return "0 %";
  return share < 0.01 ? "<1 %" : `${Math.round(share * 100)} %`;
}
