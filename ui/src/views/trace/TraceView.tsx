/** A trace by id: reading it, not finding it, showing it. */
import { useEffect, useMemo } from "react";
import { Link } from "wouter";
import { useSearch } from "wouter/use-browser-location";
import { ApiError } from "../../api/client.ts";
import { held } from "../../api/source.ts";
import type { TraceId } from "../../base/ids.ts";
import { useKnownSummary, useServices } from "../../state/queries.ts";
import { lookFromSearch } from "../../state/trace_url.ts";
import { useAnalysis, useTrace } from "../../state/traces.ts";
import { Button, CopyButton, Notice } from "../../widgets/controls.tsx";
import { SummaryHead } from "./TraceHead.tsx";
import { TracePage } from "./TracePage.tsx";
import styles from "./TraceView.module.css";

export function TraceView({ id }: { readonly id: TraceId }) {
  const query = useTrace(id);
  const summary = useKnownSummary(id);
  // Which colours services have follows from all of them.
  useServices();
  // Asked for beside the trace: when the spans are here, so is mostly what is to be said about them.
  const source = useMemo(() => held(id), [id]);
  useAnalysis(source, lookFromSearch(useSearch()).skew);
  const retry = query.refresh;
  useEffect(() => {
    document.title = `Trace ${id.slice(0, 8)} · Throughline`;
  }, [id]);

  if (query.trace && query.trace.spans.length > 0) {
    return (
      <main className={styles.view}>
        {query.error && (
          <Notice look="failed" action={<Button onClick={retry}>try again</Button>}>
            {query.whole ? "could not read it again" : "could not read what the spans say"}: {query.error.message}
          </Notice>
        )}
        <TracePage source={source} trace={query.trace} whole={query.whole} onRefresh={retry} />
      </main>
    );
  }
  if (query.error && !(query.error instanceof ApiError && query.error.status === 404)) {
    return (
      <main className={styles.view}>
        <SummaryHead id={id} summary={summary} />
        <Notice look="failed" action={<Button onClick={retry}>try again</Button>}>
          {query.error.message}
        </Notice>
      </main>
    );
  }
  if (query.error || query.trace) {
    return (
      <main className={styles.view}>
        <NotFound id={id} words={query.error?.message ?? "the trace has no spans"} onRetry={retry} />
      </main>
    );
  }
  return (
    <main className={styles.view} aria-busy="true">
      <SummaryHead id={id} summary={summary} />
      <p className={styles.reading}>reading the trace…</p>
    </main>
  );
}

function NotFound({ id, words, onRetry }: { readonly id: TraceId; readonly words: string; readonly onRetry: () => void }) {
  return (
    <section className={styles.notFound}>
      <h1>Trace not found</h1>
      <p>
        <code>{id}</code> <CopyButton label="copy the id" text={() => id} />
      </p>
      <p role="alert">{words}</p>
      <ul>
        <li>Its spans may not have arrived yet: senders collect them for some seconds.</li>
        <li>The sender may not have sampled it: then the id is in logs and headers, but nothing was sent.</li>
        <li>It may be older than the retention of this server.</li>
      </ul>
      <p className={styles.actions}>
        <Button onClick={onRetry}>look again</Button>
        <Link href="/">to the list of traces</Link>
      </p>
    </section>
  );
}
