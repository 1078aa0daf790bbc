/** Where the server finds a trace that it is asked about: it holds it, or it is sent along with the question. */
import type { TraceId } from "../base/ids.ts";

export interface TraceSource {
  readonly id: TraceId;
  /** Tells it from every other source, also of a trace with the same id. */
  readonly key: string;
  /** What is sent: the members of OTLP's `resourceSpans`, as JSON. Null for a trace that the server holds. */
  readonly sent: (() => Promise<Blob>) | null;
}

export const held = (id: TraceId): TraceSource => ({ id, key: id, sent: null });

/** The body of a question: the traces, in this order, as one document. */
export function documentOf(traces: readonly Blob[]): Blob {
  const members = traces.flatMap((trace, i) => (i === 0 ? [trace] : [",", trace]));
  return new Blob(['{"resourceSpans":[', ...members, "]}"]);
}
