/** All events of the trace as a log in order of time. */
import { useDeferredValue, useMemo, useState } from "react";
import { at } from "../../../base/arrays.ts";
import { formatDuration, plural } from "../../../base/format.ts";
import { duration } from "../../../base/time.ts";
import { filterLog, type LogLine, logOf } from "../../../trace/log.ts";
import { classes, Field } from "../../../widgets/controls.tsx";
import { ErrorIcon } from "../../../widgets/icons.tsx";
import { VirtualList } from "../../../widgets/VirtualList.tsx";
import type { TraceModel } from "../useTraceModel.ts";
import styles from "./EventsView.module.css";

interface EventsViewProps {
  readonly model: TraceModel;
  readonly current: number | null;
  readonly onGoTo: (position: number) => void;
}

const ROW_PX = 24;

export function EventsView({ model, current, onGoTo }: EventsViewProps) {
  const { tree, slotAt } = model;
  const [text, setText] = useState("");
  const query = useDeferredValue(text);
  const log = useMemo(() => logOf(tree), [tree]);
  const lines = useMemo(() => filterLog(tree, log, query), [tree, log, query]);
  return (
    <section className={styles.view} aria-label="events">
      <header className={styles.head}>
        <Field aria-label="filter events" placeholder="filter events" value={text} onChange={(event) => setText(event.target.value)} />
        <span className={styles.soft} role="status">
          {query === "" ? plural(log.length, "event") : `${lines.length} of ${plural(log.length, "event")}`}
        </span>
      </header>
      {log.length === 0 ? (
        <p className={styles.empty}>no span of this trace has an event</p>
      ) : (
        <VirtualList
          label="events in order of time"
          count={lines.length}
          rowHeight={ROW_PX}
          rowClass={(i) => classes(styles.line, at(lines, i).position === current && styles.current)}
          onPick={(i) => onGoTo(at(lines, i).position)}
          row={(i) => <Line model={model} line={at(lines, i)} slot={slotAt(at(lines, i).position)} />}
        />
      )}
    </section>
  );
}

function Line({ model, line, slot }: { readonly model: TraceModel; readonly line: LogLine; readonly slot: number }) {
  const span = at(model.tree.spans, line.position);
  return (
    <>
      <span className={styles.time}>+{formatDuration(duration(line.event.at))}</span>
      <span className={styles.span} title={`${span.resource.service} ${span.name}`}>
        <span className={styles.colour} style={{ background: `var(--service-${slot})` }} />
        <span className={styles.words}>
          <b>{span.resource.service}</b> {span.name}
        </span>
      </span>
      <button type="button" className={classes(styles.event, line.isException && styles.exception)}>
        {line.isException && <ErrorIcon size={12} />}
        {line.event.name || "(no name)"}
      </button>
      <span className={styles.text} title={line.text}>
        {line.text}
      </span>
    </>
  );
}
