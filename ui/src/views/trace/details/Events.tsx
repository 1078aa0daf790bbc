/** The events of a span in time order, at times relative to the span. */
import { formatDuration, plural } from "../../../base/format.ts";
import { duration } from "../../../base/time.ts";
import type { Span, SpanEvent } from "../../../model/span.ts";
import { AttributeList } from "./AttributeSection.tsx";
import styles from "./Details.module.css";

interface EventsProps {
  readonly events: readonly SpanEvent[];
  readonly span: Span;
  readonly dropped: number;
}

export function Events({ events, span, dropped }: EventsProps) {
  if (events.length === 0 && dropped === 0) return null;
  return (
    <section className={styles.section}>
      <h3>
        Events <span className={styles.note}>{events.length}</span>
      </h3>
      <ol className={styles.events}>
        {events.map((event, i) => (
          <li key={i}>
            <p className={styles.event}>
              <span className={styles.time}>{relative(event, span)}</span>
              <b>{event.name || "(no name)"}</b>
            </p>
            <AttributeList attributes={event.attributes} />
            {event.droppedAttributes > 0 && <p className={styles.warn}>{plural(event.droppedAttributes, "attribute")} dropped by the sender</p>}
          </li>
        ))}
      </ol>
      {dropped > 0 && <p className={styles.warn}>{plural(dropped, "event")} dropped by the sender</p>}
    </section>
  );
}

function relative(event: SpanEvent, span: Span): string {
  const sinceStart = event.at - span.start;
  return `${sinceStart < 0 ? "" : "+"}${formatDuration(duration(sinceStart))}`;
}
