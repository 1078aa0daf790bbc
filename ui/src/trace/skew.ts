/** Clocks that disagree: the trace with times as the analysis corrected them. Recorded times are kept beside. */
import { at } from "../base/arrays.ts";
import type { SpanId } from "../base/ids.ts";
import { duration, instantAt, offset } from "../base/time.ts";
import type { Analysis } from "../model/analysis.ts";
import type { Span } from "../model/span.ts";
import type { Trace } from "../model/trace.ts";

/**
 * `trace` with spans and their events moved by what correction of clocks added; the same trace when nothing moved.
 * Its start moves along when a span is moved before it, so that no offset is negative that was not.
 */
export function corrected(trace: Trace, analysis: Analysis): Trace {
  const shifts = new Map<SpanId, number>();
  analysis.columns.id.forEach((id, i) => {
    const shift = at(analysis.columns.shift, i);
    if (shift !== 0 && !shifts.has(id)) shifts.set(id, shift);
  });
  if (shifts.size === 0) return trace;
  const moved = trace.spans.map((span) => movedBy(span, shifts.get(span.id) ?? 0));
  const earliest = moved.reduce((least, span) => Math.min(least, span.start), Infinity);
  const latest = moved.reduce((most, span) => Math.max(most, span.start + span.duration), earliest);
  return {
    ...trace,
    start: instantAt(trace.start, offset(earliest)),
    duration: duration(latest - earliest),
    spans: earliest === 0 ? moved : moved.map((span) => movedBy(span, -earliest)),
  };
}

/** `span` with its events, later by `shift`. */
export function movedBy(span: Span, shift: number): Span {
  if (shift === 0) return span;
  return {
    ...span,
    start: offset(span.start + shift),
    events: span.events.map((event) => ({ ...event, at: offset(event.at + shift) })),
  };
}
