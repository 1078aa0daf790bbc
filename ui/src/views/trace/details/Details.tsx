/** Everything one span says, beside the waterfall. */
import { useState } from "react";
import { encodeSpan } from "../../../api/otlp_encode.ts";
import { at } from "../../../base/arrays.ts";
import { formatDuration, formatInstant, formatIsoNanos } from "../../../base/format.ts";
import { duration, instantAt, offset } from "../../../base/time.ts";
import type { Scope, Span } from "../../../model/span.ts";
import type { Trace } from "../../../model/trace.ts";
import { traceAddress } from "../../../state/trace_url.ts";
import type { TraceTree } from "../../../trace/tree.ts";
import { Button, CopyButton, IconButton } from "../../../widgets/controls.tsx";
import { CloseIcon, ErrorIcon, LinkIcon } from "../../../widgets/icons.tsx";
import { AttributeSection } from "./AttributeSection.tsx";
import styles from "./Details.module.css";
import { Events } from "./Events.tsx";
import { Links } from "./Links.tsx";

interface DetailsProps {
  readonly trace: Trace;
  readonly tree: TraceTree;
  readonly position: number;
  readonly slot: number;
  readonly onGoTo: (position: number) => void;
  readonly onClose: () => void;
}

export function Details({ trace, tree, position, slot, onGoTo, onClose }: DetailsProps) {
  const span = at(tree.spans, position);
  return (
    <aside className={styles.details} aria-label="span details">
      <header className={styles.head}>
        <span className={styles.colour} style={{ background: `var(--service-${slot})` }} />
        <h2>
          <span className={styles.service}>{span.resource.service}</span> {span.name || "(no name)"}
        </h2>
        <CopyButton label="copy the link to this span" text={() => `${location.origin}${traceAddress(trace.id, span.id)}`} />
        <IconButton look="bare" small label="close the details" onClick={onClose}>
          <CloseIcon />
        </IconButton>
      </header>
      {/* Scrolled to the top for each span. */}
      <div key={span.id} className={styles.content} tabIndex={0} role="region" aria-label="details">
        {span.status.code === "error" && (
          <p className={styles.error}>
            <ErrorIcon /> <span>{span.status.message || "error, without a message"}</span>
          </p>
        )}
        <SpanFacts trace={trace} tree={tree} span={span} position={position} onGoTo={onGoTo} />
        <AttributeSection title="Attributes" attributes={span.attributes} dropped={span.droppedAttributes} always />
        <Events events={span.events} span={span} dropped={span.droppedEvents} />
        <Links links={span.links} dropped={span.droppedLinks} />
        <AttributeSection title="Resource" attributes={span.resource.attributes} dropped={span.resource.droppedAttributes} />
        <AttributeSection title="Scope" note={scopeWords(span.scope)} attributes={span.scope.attributes} dropped={span.scope.droppedAttributes} />
        <Raw text={() => JSON.stringify(encodeSpan(trace.id, trace.start, span), null, 2)} />
      </div>
    </aside>
  );
}

function scopeWords(scope: Scope): string {
  return [scope.name, scope.version].filter((word) => word !== "").join(" ");
}

interface SpanFactsProps {
  readonly trace: Trace;
  readonly tree: TraceTree;
  readonly span: Span;
  readonly position: number;
  readonly onGoTo: (position: number) => void;
}

function SpanFacts({ trace, tree, span, position, onGoTo }: SpanFactsProps) {
  const parent = at(tree.parent, position);
  const start = instantAt(trace.start, span.start);
  const end = instantAt(trace.start, offset(span.start + span.duration));
  const share = trace.duration > 0 ? (Math.max(0, span.duration) / trace.duration) * 100 : 100;
  return (
    <dl className={styles.facts}>
      <dt>duration</dt>
      <dd>
        <b>{formatDuration(span.duration)}</b> <span className={styles.soft}>{share.toFixed(share < 10 ? 1 : 0)} % of the trace</span>
        {span.duration < 0 && <span className={styles.warn}> it ends before it starts</span>}
      </dd>
      <dt>start</dt>
      <dd title={`${formatIsoNanos(start)} to ${formatIsoNanos(end)}`}>
        +{formatDuration(duration(span.start))} <span className={styles.soft}>{formatInstant(start)}</span>
      </dd>
      <dt>kind</dt>
      <dd>{span.kind}</dd>
      <dt>status</dt>
      <dd>
        {span.status.code}
        {span.status.code !== "error" && span.status.message !== "" && `: ${span.status.message}`}
      </dd>
      <dt>span id</dt>
      <dd>
        <code>{span.id}</code> <CopyButton label="copy the span id" text={() => span.id} />
      </dd>
      <dt>parent</dt>
      <dd>
        {span.parentId === null ? (
          "none: a root"
        ) : parent < 0 ? (
          <>
            <code>{span.parentId}</code> <span className={styles.warn}>not in this trace</span>
          </>
        ) : (
          <Button look="bare" className={styles.jump} onClick={() => onGoTo(parent)}>
            <LinkIcon size={12} /> {at(tree.spans, parent).name}
          </Button>
        )}
      </dd>
      {span.traceState !== "" && (
        <>
          <dt>trace state</dt>
          <dd>
            <code>{span.traceState}</code>
          </dd>
        </>
      )}
    </dl>
  );
}

function Raw({ text }: { readonly text: () => string }) {
  const [open, setOpen] = useState(false);
  return (
    <section className={styles.section}>
      <h3>
        <Button look="bare" className={styles.jump} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "hide" : "show"} as OTLP JSON
        </Button>
        <CopyButton label="copy as OTLP JSON" text={text} />
      </h3>
      {open && (
        <pre className={styles.raw} tabIndex={0}>
          {text()}
        </pre>
      )}
    </section>
  );
}
