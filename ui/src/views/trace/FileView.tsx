/** A trace of a file that was opened in this page. */
import { useEffect, useMemo } from "react";
import { Link, useLocation } from "wouter";
import type { Progress } from "../../api/opened.ts";
import { formatCount } from "../../base/format.ts";
import { shortId, traceId, type TraceId } from "../../base/ids.ts";
import { fileAddress, fileWith, useOpened } from "../../state/opened_file.ts";
import { useFileTrace } from "../../state/traces.ts";
import { Notice, Select } from "../../widgets/controls.tsx";
import { TracePage } from "./TracePage.tsx";
import styles from "./TraceView.module.css";

export function FileView({ id }: { readonly id: TraceId | null }) {
  const opened = useOpened();
  const [, navigate] = useLocation();
  const file = fileWith(opened, id);
  const source = useMemo(() => (file && id !== null ? file.source(id) : null), [file, id]);
  const { trace, progress, error } = useFileTrace(file, source);
  useEffect(() => {
    document.title = file ? `${file.name} · Throughline` : "Throughline";
  }, [file]);
  if (opened.opening) return <Reading name={opened.opening.name} progress={opened.opening.progress} />;
  if (!file || !source || error) {
    return (
      <main className={styles.view}>
        <section className={styles.notFound}>
          <h1>No file to show</h1>
          <p role="alert">{error?.message ?? opened.error ?? "What a file held is gone when the page is loaded again: it was never stored. Open it once more."}</p>
          <p>
            Press <kbd>U</kbd> or drop a file on the page: OTLP JSON, also with a document on each line, or what Jaeger saves.
          </p>
          <p className={styles.actions}>
            <Link href="/">search traces</Link>
          </p>
        </section>
      </main>
    );
  }
  if (!trace) return <Reading name={file.name} progress={progress} />;
  return (
    <main className={styles.view}>
      <Notice
        action={
          file.traces.length > 1 && (
            <Select aria-label="trace of the file" value={trace.id} onChange={(event) => navigate(fileAddress(traceId(event.target.value)))}>
              {file.traces.map((one) => (
                <option key={one.id} value={one.id}>
                  …{shortId(one.id)} ({formatCount(one.spans)} spans)
                </option>
              ))}
            </Select>
          )
        }
      >
        from the file {file.name}: analysed, but not stored
      </Notice>
      <TracePage key={trace.id} source={source} trace={trace} whole={trace} />
    </main>
  );
}

/** How far it is; a part of which that is not known moves. */
function Reading({ name, progress }: { readonly name: string; readonly progress: Progress }) {
  return (
    <main className={styles.view} aria-busy="true">
      <p className={styles.reading}>
        <label>
          reading {name} <progress className={styles.progress} {...(progress && { value: progress.done, max: progress.total })} />
        </label>
      </p>
    </main>
  );
}
