/**
 * The address of a trace and of what is looked at in it.
 *
 *     /trace/4bf92f3577b34da6a3ce929d0e0e4736?span=00f067aa0ba902b7&find=redis&zoom=1200000-5400000
 *
 * `zoom` is in nanoseconds from the start of the trace, so it stays right when the trace grows at its end.
 */
import { type SpanId, spanId, type TraceId } from "../base/ids.ts";
import { offset, type Window } from "../base/time.ts";

export interface TraceLook {
  readonly span: SpanId | null;
  readonly find: string;
  /** Null when the whole trace is in view. */
  readonly zoom: Window | null;
}

export function lookFromSearch(search: string): TraceLook {
  const query = new URLSearchParams(search);
  const zoom = /^(\d{1,19})-(\d{1,19})$/.exec(query.get("zoom") ?? "");
  const from = offset(Number(zoom?.[1]));
  const to = offset(Number(zoom?.[2]));
  return {
    span: spanId(query.get("span") ?? ""),
    find: query.get("find") ?? "",
    zoom: zoom && from < to ? { from, to } : null,
  };
}

export function searchFromLook(look: TraceLook): string {
  const query = new URLSearchParams();
  if (look.span !== null) query.set("span", look.span);
  if (look.find !== "") query.set("find", look.find);
  if (look.zoom !== null) query.set("zoom", `${Math.floor(look.zoom.from)}-${Math.ceil(look.zoom.to)}`);
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

export function traceAddress(id: TraceId, span: SpanId | null = null): string {
  return `/trace/${id}${span === null ? "" : `?span=${span}`}`;
}
