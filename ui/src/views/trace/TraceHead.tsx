/** What a trace is, in one line; warnings under it. The same line stands while the trace is still being read. */
import type { ReactNode } from "react";
import { formatCount, formatDuration, formatInstant, formatIsoNanos } from "../../base/format.ts";
import type { TraceId } from "../../base/ids.ts";
import type { Duration, UnixNanos } from "../../base/time.ts";
import type { TraceSummary } from "../../model/summary.ts";
import type { Trace } from "../../model/trace.ts";
import type { TraceFacts } from "../../trace/facts.ts";
import type { TraceTree } from "../../trace/tree.ts";
import { CopyButton, Notice } from "../../widgets/controls.tsx";
import styles from "./TraceHead.module.css";

interface TraceHeadProps {
  readonly trace: Trace;
  readonly tree: TraceTree;
  readonly facts: TraceFacts;
  readonly children: ReactNode;
}

export function TraceHead({ trace, tree, facts, children }: TraceHeadProps) {
  return (
    <>
      <header className={styles.head}>
        <Title id={trace.id} service={facts.title?.resource.service ?? ""} name={facts.title?.name ?? ""} />
        <Facts
          start={trace.start}
          duration={trace.duration}
          spans={tree.spans.length}
          services={facts.services.length}
          errors={facts.errors}
          levels={tree.depthMax + 1}
        />
        <div className={styles.tools}>{children}</div>
      </header>
      {facts.warnings.length > 0 && <Notice>{facts.warnings.join(" · ")}</Notice>}
    </>
  );
}

/** The head as far as the list knew it; in the same place and of the same height. */
export function SummaryHead({ id, summary }: { readonly id: TraceId; readonly summary: TraceSummary | null }) {
  return (
    <header className={styles.head}>
      <Title id={id} service={summary?.root?.service ?? ""} name={summary?.root?.name ?? ""} />
      {summary && (
        <Facts
          start={summary.start}
          duration={summary.duration}
          spans={summary.spans}
          services={summary.services.length}
          errors={summary.errors}
        />
      )}
    </header>
  );
}

function Title({ id, service, name }: { readonly id: TraceId; readonly service: string; readonly name: string }) {
  return (
    <h1 className={styles.title}>
      <span className={styles.root} title={`${service} ${name}`}>
        <b>{service}</b> {name}
      </span>
      <code className={styles.id} title={id}>
        {id.slice(0, 8)}…
      </code>
      <CopyButton label="copy the trace id" text={() => id} />
    </h1>
  );
}

interface FactsProps {
  readonly start: UnixNanos;
  readonly duration: Duration;
  readonly spans: number;
  readonly services: number;
  readonly errors: number;
  readonly levels?: number;
}

function Facts({ start, duration, spans, services, errors, levels }: FactsProps) {
  return (
    <dl className={styles.facts}>
      <Fact name="start" title={formatIsoNanos(start)}>
        {formatInstant(start)}
      </Fact>
      <Fact name="duration">
        <b>{formatDuration(duration)}</b>
      </Fact>
      <Fact name="spans">{formatCount(spans)}</Fact>
      <Fact name="services">{formatCount(services)}</Fact>
      {levels !== undefined && <Fact name="levels">{formatCount(levels)}</Fact>}
      <Fact name="errors" look={errors > 0 ? styles.errors : undefined}>
        {formatCount(errors)}
      </Fact>
    </dl>
  );
}

interface FactProps {
  readonly name: string;
  readonly title?: string;
  readonly look?: string | undefined;
  readonly children: ReactNode;
}

function Fact({ name, title, look, children }: FactProps) {
  return (
    <div className={look} title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
