/** Trace and span ids: hex text in one spelling inside, any spelling at the door. */
import type { Branded } from "./brand.ts";

/** 32 lower-case hex digits. */
export type TraceId = Branded<string, "TraceId">;
/** 16 lower-case hex digits. */
export type SpanId = Branded<string, "SpanId">;

/** An id as typed or pasted; headers that carry a span as well lead to that span. */
export interface PastedId {
  readonly trace: TraceId;
  readonly span: SpanId | null;
}

/** `text` as a trace id when it is 1 to 32 hex digits; shorter ones get their leading zeros back. All zeros is none. */
export const traceId = (text: string): TraceId | null => hexId(text, 32, /^[0-9a-f]{32}$/) as TraceId | null;

/** `text` as a span id when it is 1 to 16 hex digits; otherwise as `traceId`. */
export const spanId = (text: string): SpanId | null => hexId(text, 16, /^[0-9a-f]{16}$/) as SpanId | null;

/** The same for many. */
export function spanIds(texts: readonly string[]): readonly (SpanId | null)[] {
  // Looked at once for all of them: a large trace has a hundred thousand.
  const areWellSpelt = texts.every((text) => text.length === 16) && /^[0-9a-f]*$/.test(texts.join(""));
  return areWellSpelt ? (texts as readonly SpanId[]) : texts.map(spanId);
}

/** Makes no text where the id is spelt right already: a large trace has a hundred thousand of them. */
function hexId(text: string, digits: number, wellSpelt: RegExp): string | null {
  if (text === "" || text.length > digits) return null;
  const id = wellSpelt.test(text) ? text : text.padStart(digits, "0").toLowerCase();
  return wellSpelt.test(id) && !/^0+$/.test(id) ? id : null;
}

/**
 * Finds the trace id in whatever people paste: upper case, dashes (also as a UUID), `0x`, quotes, lost leading zeros, a
 * `traceparent`, `b3` or `uber-trace-id` header value, an X-Ray id (`1-5759e988-…`), or the address of a trace page.
 */
export function parsePastedId(text: string): PastedId | null {
  const trimmed = text.trim().replace(/^["'`<]+|["'`>,;]+$/g, "");
  const inAddress = /\/traces?\/([^/?#]+)/.exec(trimmed);
  const words = (inAddress?.[1] ?? trimmed).trim();

  const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/i.exec(words);
  const b3 = /^([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})(?:-[01d])?(?:-[0-9a-f]{16})?$/i.exec(words);
  const uber = /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:[0-9a-f]{1,2}$/i.exec(words);
  const pair = traceparent ?? b3 ?? uber;
  if (pair) {
    const trace = traceId(pair[1] ?? "");
    return trace && { trace, span: spanId(pair[2] ?? "") };
  }
  const xray = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i.exec(words);
  const hex = xray ? `${xray[1]}${xray[2]}` : words.replace(/^0x/i, "").replace(/[-\s]/g, "");
  const trace = traceId(hex);
  return trace && { trace, span: null };
}

/** Enough of an id to recognise it; the last digits, since the first may be a clock's. */
export function shortId(id: TraceId | SpanId): string {
  return id.slice(-8);
}
