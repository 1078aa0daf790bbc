/** Everything one span says, beside the waterfall. */
import { useState } from "react";
import { encodeSpan } from "../../../api/otlp_encode.ts";
import { at } from "../../../base/arrays.ts";
import type { Scope, Span } from "../../../model/span.ts";
import type { Trace } from "../../../model/trace.ts";
import { errorWords } from "../../../trace/words.ts";
import { traceAddress } from "../../../state/trace_url.ts";
import { Button, CopyButton, IconButton } from "../../../widgets/controls.tsx";
import { CloseIcon, ErrorIcon } from "../../../widgets/icons.tsx";
import type { TraceModel } from "../useTraceModel.ts";
import { AttributeSection, FindContext } from "./AttributeSection.tsx";
import styles from "./Details.module.css";
import { Events } from "./Events.tsx";
import { LinkedFrom, Links } from "./Links.tsx";
import { SpanFacts } from "./SpanFacts.tsx";

interface DetailsProps {
  readonly model: TraceModel;
  readonly position: number;
  /** Whether it is not known yet where the time went. */
  readonly isAnalysing: boolean;
  readonly onGoTo: (position: number) => void;
  readonly onFind: (query: string) => void;
  readonly onHide: (service: string) => void;
  readonly onOnly: (service: string) => void;
  readonly onSubtree: (position: number) => void;
  readonly onClose: () => void;
}

export function Details({ model, position, isAnalysing, onGoTo, onFind, onHide, onOnly, onSubtree, onClose }: DetailsProps) {
  const { trace, tree, whole } = model;
  const span = at(tree.spans, position);
  const { service } = span.resource;
  return (
    <aside className={styles.details} aria-label="span details">
      <header className={styles.head}>
        <span className={styles.colour} style={{ background: `var(--service-${model.slotAt(position)})` }} />
        <h2>
          <span className={styles.service}>{service}</span> {span.name || "(no name)"}
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
            <ErrorIcon /> <span>{errorWords(span) || "error, without a message"}</span>
          </p>
        )}
        <SpanFacts model={model} position={position} isAnalysing={isAnalysing} onGoTo={onGoTo} />
        <div className={styles.verbs} role="group" aria-label="show less of the trace">
          {at(tree.descendants, position) > 0 && <Button onClick={() => onSubtree(position)}>only below this</Button>}
          <Button onClick={() => onOnly(service)}>only {service}</Button>
          <Button onClick={() => onHide(service)}>hide {service}</Button>
        </div>
        {whole === null && (
          <p role="status" className={styles.reading}>
            reading what the spans say…
          </p>
        )}
        <FindContext value={onFind}>
          <AttributeSection title="Attributes" scope="span" attributes={span.attributes} dropped={span.droppedAttributes} always={whole !== null} />
          <Events events={span.events} span={span} dropped={span.droppedEvents} />
          <Links links={span.links} dropped={span.droppedLinks} />
          <LinkedFrom trace={trace} tree={tree} span={span} onGoTo={onGoTo} />
          <AttributeSection title="Resource" scope="resource" attributes={span.resource.attributes} dropped={span.resource.droppedAttributes} />
          <AttributeSection title="Scope" scope="instrumentation" note={scopeWords(span.scope)} attributes={span.scope.attributes} dropped={span.scope.droppedAttributes} />
        </FindContext>
        {whole && <Raw text={() => rawText(whole, span)} />}
      </div>
    </aside>
  );
}

function scopeWords(scope: Scope): string {
  return [scope.name, scope.version].filter((word) => word !== "").join(" ");
}

/** As it was sent, whatever was done to the clocks. */
function rawText(whole: Trace, span: Span): string {
  const sent = whole.spans.find((one) => one.id === span.id) ?? span;
  return JSON.stringify(encodeSpan(whole.id, whole.start, sent), null, 2);
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
