/** Where the time of the trace went: a line of words, a bar of its parts, and the way to the findings. */
import { formatDuration, plural } from "../../../base/format.ts";
import type { PartKind } from "../../../model/analysis.ts";
import type { Insight, PlacedPart } from "../../../trace/insight.ts";
import { Button, classes } from "../../../widgets/controls.tsx";
import { HintIcon, PathIcon } from "../../../widgets/icons.tsx";
import styles from "./Insight.module.css";

interface SummaryLineProps {
  /** Null until the server has said, or when it could not. */
  readonly insight: Insight | null;
  readonly error: Error | null;
  readonly slotAt: (position: number) => number;
  /** Whether the findings are open. */
  readonly isOpen: boolean;
  readonly onFindings: () => void;
  readonly onGoTo: (position: number) => void;
}

export function SummaryLine({ insight, error, slotAt, isOpen, onFindings, onGoTo }: SummaryLineProps) {
  const count = insight ? insight.findings.length + insight.findingsLeftOut : 0;
  const words = insight ? insight.text || "the trace has no length, so there is nothing to divide" : error ? `where the time went is not known: ${error.message}` : "";
  return (
    <section className={styles.summary} aria-label="where the time went" aria-busy={!insight && !error}>
      <PathIcon />
      {insight && insight.parts.length > 0 && (
        <div className={styles.parts}>
          {insight.parts.map((part) => (
            <PartButton key={`${part.kind} ${part.place}`} part={part} slotAt={slotAt} onGoTo={onGoTo} />
          ))}
        </div>
      )}
      <p className={styles.words} title={words}>
        {words}
      </p>
      {insight && (
        <Button look="bare" className={styles.toggle} aria-pressed={isOpen} disabled={count === 0} onClick={onFindings}>
          <HintIcon /> {count === 0 ? "no findings" : plural(count, "finding")}
        </Button>
      )}
    </section>
  );
}

const KIND_WORDS: Readonly<Record<PartKind, string>> = {
  work: "work in",
  wait: "waiting in",
  network: "between client and server in",
  unexplained: "nothing recorded in",
};

function PartButton({ part, slotAt, onGoTo }: { readonly part: PlacedPart; readonly slotAt: (position: number) => number; readonly onGoTo: (position: number) => void }) {
  const words = `${Math.round(part.share * 100)} %, ${formatDuration(part.critical)} ${KIND_WORDS[part.kind]} ${part.place}`;
  return (
    <button
      type="button"
      className={classes(styles.part, styles[part.kind])}
      style={{ flexGrow: part.share, "--part": part.position < 0 ? "var(--ink-3)" : `var(--service-${slotAt(part.position)})` }}
      title={words}
      aria-label={words}
      disabled={part.position < 0}
      onClick={() => onGoTo(part.position)}
    />
  );
}
