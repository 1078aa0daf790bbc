/** This trace, as the baseline, beside another one. */
import { type FormEvent, useMemo, useState } from "react";
import { Link } from "wouter";
import { formatDuration, formatInstant, plural } from "../../../base/format.ts";
import { parsePastedId, shortId, type TraceId } from "../../../base/ids.ts";
import { fileAddress, fileWith, sourceOf, useOpened } from "../../../state/opened_file.ts";
import { useAlike } from "../../../state/queries.ts";
import { traceAddress } from "../../../state/trace_url.ts";
import { useComparison } from "../../../state/traces.ts";
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
  const { source, slotOf } = model;
  const opened = useOpened();
  const file = fileWith(opened, other);
  const query = useComparison(source, useMemo(() => (other === null ? null : sourceOf(opened, other)), [opened, other]));
  if (other === null) return <Choice model={model} onOther={onOther} />;
  return (
    <section className={styles.view} aria-label="comparison">
      <header className={styles.head}>
        <span>
          this trace <span className={styles.soft}>compared with</span> <Link href={file ? fileAddress(other) : traceAddress(other)}>…{shortId(other)}</Link>
          {file && <span className={styles.soft}> of the file {file.name}</span>}
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
      <div className={styles.choice}>
        <FromFiles model={model} onOther={onOther} />
        <Alike model={model} onOther={onOther} />
      </div>
    </section>
  );
}

interface ChoiceProps {
  readonly model: TraceModel;
  readonly onOther: (other: TraceId) => void;
}

/** Other traces of the files that are open, most spans first. */
function FromFiles({ model, onOther }: ChoiceProps) {
  const { files } = useOpened();
  const others = files.flatMap((file) => file.traces.filter(({ id }) => file.source(id).key !== model.source.key).map((trace) => ({ ...trace, file: file.name })));
  if (others.length === 0) return null;
  return (
    <>
      <h2>or with a trace of a file</h2>
      <ul>
        {others.slice(0, ALIKE_MAX).map(({ id, spans, file }) => (
          <li key={`${file} ${id}`}>
            <Button look="bare" className={styles.ofFile} onClick={() => onOther(id)}>
              <span>…{shortId(id)}</span>
              <span>{plural(spans, "span")}</span>
              <span className={styles.soft}>{file}</span>
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}

/** Recent traces that began with the same operation. */
function Alike({ model, onOther }: ChoiceProps) {
  const title = model.facts.title;
  const service = title?.resource.service ?? null;
  const operation = title?.name ?? null;
  const list = useAlike(service, operation);
  const alike = (list.data ?? []).filter(({ id, root }) => id !== model.trace.id && root?.service === service && root.name === operation);
  if (alike.length === 0) return null;
  return (
    <>
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
    </>
  );
}
