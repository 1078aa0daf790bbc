/** This trace, as the baseline, beside another one. */
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { formatDuration, formatInstant, plural } from "../../../base/format.ts";
import { parsePastedId, shortId, type TraceId } from "../../../base/ids.ts";
import { useAlike, useComparison } from "../../../state/queries.ts";
import { traceAddress } from "../../../state/trace_url.ts";
import { Button, Field, Notice } from "../../../widgets/controls.tsx";
import type { TraceModel } from "../useTraceModel.ts";
import styles from "./CompareView.module.css";
import { ComparisonTree } from "./ComparisonTree.tsx";

interface CompareViewProps {
  readonly model: TraceModel;
  readonly other: TraceId | null;
  readonly onOther: (other: TraceId | null) => void;
}

export function CompareView({ model, other, onOther }: CompareViewProps) {
  const { trace, slotOf } = model;
  const query = useComparison(trace.id, other);
  if (other === null) return <Choice model={model} onOther={onOther} />;
  return (
    <section className={styles.view} aria-label="comparison">
      <header className={styles.head}>
        <span>
          this trace <span className={styles.soft}>compared with</span> <Link href={traceAddress(other)}>…{shortId(other)}</Link>
        </span>
        <Button onClick={() => onOther(null)}>another one</Button>
      </header>
      {query.error && (
        <Notice look="failed" action={<Button onClick={() => void query.refetch()}>try again</Button>}>
          {query.error.message}
        </Notice>
      )}
      {query.data && (
        <>
          {query.data.missing.length > 0 && <Notice>could not be read: {query.data.missing.join("; ")}</Notice>}
          <p className={styles.told}>{query.data.text}</p>
          <ComparisonTree comparison={query.data} slotOf={slotOf} />
        </>
      )}
      {query.isPending && <p className={styles.empty}>comparing…</p>}
    </section>
  );
}

/** More are found with an id. */
const ALIKE_MAX = 12;

function Choice({ model, onOther }: { readonly model: TraceModel; readonly onOther: (other: TraceId) => void }) {
  const [text, setText] = useState("");
  const [refused, setRefused] = useState(false);
  const title = model.facts.title;
  const service = title?.resource.service ?? null;
  const operation = title?.name ?? null;
  const list = useAlike(service, operation);
  const alike = (list.data ?? []).filter(({ id, root }) => id !== model.trace.id && root?.service === service && root.name === operation);
  const open = (event: FormEvent): void => {
    event.preventDefault();
    const id = parsePastedId(text);
    setRefused(id === null);
    if (id !== null) onOther(id.trace);
  };
  return (
    <section className={styles.view} aria-label="comparison">
      <form className={styles.head} onSubmit={open}>
        <span>compare this trace with</span>
        <Field
          aria-label="trace to compare with"
          placeholder="a trace id"
          value={text}
          aria-invalid={refused}
          onChange={(event) => {
            setText(event.target.value);
            setRefused(false);
          }}
        />
        <Button type="submit">compare</Button>
        {refused && <span role="alert">not a trace id</span>}
      </form>
      {alike.length > 0 && (
        <div className={styles.choice}>
          <h2>
            or with a recent <b>{service}</b> {operation}
          </h2>
          <ul>
            {alike.slice(0, ALIKE_MAX).map((trace) => (
              <li key={trace.id}>
                <Button look="bare" className={styles.alike} onClick={() => onOther(trace.id)}>
                  <span className={styles.duration}>{formatDuration(trace.duration)}</span>
                  <span>{plural(trace.spans, "span")}</span>
                  <span className={trace.errors > 0 ? styles.errors : styles.soft}>{trace.errors > 0 ? plural(trace.errors, "error") : "no error"}</span>
                  <span className={styles.soft}>{formatInstant(trace.start)}</span>
                </Button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
