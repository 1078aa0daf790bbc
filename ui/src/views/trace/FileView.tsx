/** A trace of a file that was opened in this page. */
import { useEffect, useMemo } from "react";
import { Link, useLocation } from "wouter";
import { formatCount } from "../../base/format.ts";
import { shortId, traceId, type TraceId } from "../../base/ids.ts";
import { fileAddress, useOpenedFile } from "../../state/opened_file.ts";
import { Notice, Select } from "../../widgets/controls.tsx";
import { TracePage } from "./TracePage.tsx";
import styles from "./TraceView.module.css";

export function FileView({ id }: { readonly id: TraceId | null }) {
  const opened = useOpenedFile();
  const [, navigate] = useLocation();
  const file = opened !== null && "file" in opened ? opened.file : null;
  const trace = useMemo(() => (file && id !== null ? file.read(id) : null), [file, id]);
  useEffect(() => {
    document.title = file ? `${file.name} · Throughline` : "Throughline";
  }, [file]);
  if (!file || !trace) {
    return (
      <main className={styles.view}>
        <section className={styles.notFound}>
          <h1>No file to show</h1>
          <p role="alert">{opened && "error" in opened ? opened.error : "What a file held is gone when the page is loaded again: it was never stored. Open it once more."}</p>
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
      <TracePage key={trace.id} trace={trace} whole={trace} />
    </main>
  );
}
