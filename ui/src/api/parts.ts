/** A trace of a file in the forms in which it leaves the worker: lines for the page to read, and members for the server. */
import type { UnixNanos } from "../base/time.ts";
import type { Trace } from "../model/trace.ts";
import { encodeTrace } from "./otlp_encode.ts";
import { array } from "./json.ts";

/** Read within some milliseconds, as a line of the server's answer is. */
const LINE_SPANS = 500;

export interface TraceParts {
  readonly start: UnixNanos;
  readonly duration: number;
  readonly spans: number;
  readonly missing: readonly string[];
  /** A document of so many spans on each line. */
  readonly lines: Blob;
  /** All members of `resourceSpans`. */
  readonly members: Blob;
}

export function partsOf(trace: Trace): TraceParts {
  const lines: string[] = [];
  const members: string[] = [];
  for (let from = 0; from < trace.spans.length; from += LINE_SPANS) {
    const part = encodeTrace({ ...trace, spans: trace.spans.slice(from, from + LINE_SPANS) });
    const own = array(part["resourceSpans"]).map((one) => JSON.stringify(one)).join(",");
    members.push(from === 0 ? own : `,${own}`);
    lines.push(`{"resourceSpans":[${own}]}\n`);
  }
  const { start, duration, spans, missing } = trace;
  return { start, duration, spans: spans.length, missing, lines: new Blob(lines), members: new Blob(members) };
}
