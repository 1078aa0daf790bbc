/** The events of a span in time order, at times relative to the span. */
import { useMemo, useRef } from "react";
import { formatDuration, plural } from "../../../base/format.ts";
import { duration } from "../../../base/time.ts";
import type { Span, SpanEvent } from "../../../model/span.ts";
import { eventMarks } from "../../../trace/event_places.ts";
import { classes } from "../../../widgets/controls.tsx";
import { AttributeList } from "./AttributeSection.tsx";
import styles from "./Details.module.css";

interface EventsProps {
  readonly events: readonly SpanEvent[];
  readonly span: Span;
  readonly dropped: number;
}

export function Events({ events, span, dropped }: EventsProps) {
  const list = useRef<HTMLOListElement>(null);
  if (events.length === 0 && dropped === 0) return null;
  const show = (index: number): void => {
    const item = list.current?.children[index];
    if (!(item instanceof HTMLElement)) return;
    item.scrollIntoView({ block: "nearest" });
    item.focus();
  };
  return (
    <section className={styles.section}>
      <h3>
        Events <span className={styles.note}>{events.length}</span>
      </h3>
      {events.length > 0 && <EventStrip span={span} onPick={show} />}
      <ol ref={list} className={styles.events}>
        {events.map((event, i) => (
          <li key={i} tabIndex={-1}>
            <p className={styles.event}>
              <span className={styles.time}>{relative(event, span)}</span>
              <b>{event.name || "(no name)"}</b>
            </p>
            <AttributeList attributes={event.attributes} scope="event" />
            {event.droppedAttributes > 0 && <p className={styles.warn}>{plural(event.droppedAttributes, "attribute")} dropped by the sender</p>}
          </li>
        ))}
      </ol>
      {dropped > 0 && <p className={styles.warn}>{plural(dropped, "event")} dropped by the sender</p>}
    </section>
  );
}

/** When they happened within the span, at a glance. */
function EventStrip({ span, onPick }: { readonly span: Span; readonly onPick: (index: number) => void }) {
  const marks = useMemo(() => eventMarks(span), [span]);
  return (
    <div className={styles.strip} role="group" aria-label="events within the span">
      {marks.map(({ share, events, isOutside }) => {
        const names = events.map((i) => span.events[i]).flatMap((event) => (event ? [`${relative(event, span)} ${event.name}`] : []));
        const words = `${names.join("\n")}${isOutside ? "\n(outside of the span)" : ""}`;
        return (
          <button
            key={events[0]}
            type="button"
            className={classes(styles.mark, events.length > 1 && styles.several, isOutside && styles.outside)}
            style={{ left: `${share * 100}%` }}
            title={words}
            aria-label={words}
            onClick={() => onPick(events[0] ?? 0)}
          />
        );
      })}
    </div>
  );
}

function relative(event: SpanEvent, span: Span): string {
  const sinceStart = event.at - span.start;
  return `${sinceStart < 0 ? "" : "+"}${formatDuration(duration(sinceStart))}`;
}
