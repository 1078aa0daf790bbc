/** The spans of a trace that matched: each leads to itself in the trace. */
import { Link } from "wouter";
import { formatDuration, plural } from "../../base/format.ts";
import { duration } from "../../base/time.ts";
import { type FoundAttribute, type Hit, valueWords } from "../../model/hit.ts";
import { traceAddress } from "../../state/trace_url.ts";
import type { SlotOf } from "../../trace/colours.ts";
import { type Line, linesOf } from "./matched.ts";
import styles from "./MatchedSpans.module.css";

/** As the style sheet has it. */
export const LINE_PX = 22;

interface MatchedSpansProps {
  readonly hit: Hit;
  /** The attributes worth showing: those that have a column. */
  readonly columns: readonly string[];
  readonly slotOf: SlotOf;
}

export function MatchedSpans({ hit, columns, slotOf }: MatchedSpansProps) {
  return (
    <ul className={styles.lines} aria-label="spans that matched">
      {linesOf(hit).map((line, i) => (
        <li key={i} className={styles.line}>
          <LineContent line={line} hit={hit} columns={columns} slotOf={slotOf} />
        </li>
      ))}
    </ul>
  );
}

function LineContent({ line, hit, columns, slotOf }: MatchedSpansProps & { readonly line: Line }) {
  switch (line.type) {
    case "group":
      return (
        <span className={styles.group}>
          <Attributes attributes={line.set.keys} /> {plural(line.set.matched, "span")}
        </span>
      );
    case "span": {
      const { span } = line;
      return (
        <>
          <Link href={traceAddress(hit.id, span.id)} className={styles.span}>
            <span className={styles.dot} style={{ background: `var(--service-${slotOf(span.service)})` }} />
            <b>{span.service}</b> {span.name}
          </Link>
          <span className={styles.soft}>+{formatDuration(duration(Number(span.start - hit.start)))}</span>
          <span>{formatDuration(span.duration)}</span>
          <Attributes attributes={span.attributes.filter(({ label }) => columns.includes(label))} />
        </>
      );
    }
    case "more":
      return <span className={styles.soft}>and {plural(line.count, "span")} more</span>;
  }
}

function Attributes({ attributes }: { readonly attributes: readonly FoundAttribute[] }) {
  return (
    <span className={styles.attributes}>
      {attributes.map(({ label, value }) => (
        <span key={label}>
          <span className={styles.soft}>{label}=</span>
          {valueWords(value)}
        </span>
      ))}
    </span>
  );
}
