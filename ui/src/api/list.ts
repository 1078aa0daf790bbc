/** Summaries of traces, services and operations. */
import { type SpanId, spanId, traceId } from "../base/ids.ts";
import { duration, type UnixNanos, unixNanos } from "../base/time.ts";
import type { OperationEntry, ServiceEntry, TraceSummary } from "../model/summary.ts";
import type { ServiceCount } from "../model/trace.ts";
import { array, bigint, number, object, text } from "./json.ts";

/** Traces that began with this operation of this service, newest first. */
export function alikeAddress(service: string, operation: string, limit: number): string {
  return `/api/v1/traces?${new URLSearchParams({ service, operation, limit: `${limit}` })}`;
}

export function decodeSummary(wire: unknown): TraceSummary | null {
  const body = object(wire);
  const id = traceId(text(body["traceId"]));
  if (id === null) return null;
  return {
    id,
    root: body["hasRoot"] === true ? { service: text(body["rootService"]), name: text(body["rootName"]) } : null,
    start: unixNanos(bigint(body["startTimeUnixNano"])),
    duration: duration(number(body["durationNanos"])),
    spans: number(body["spanCount"]),
    errors: number(body["errorCount"]),
    services: array(body["services"]).map(decodeServiceCount),
    partial: body["partial"] === true,
  };
}

function decodeServiceCount(wire: unknown): ServiceCount {
  const body = object(wire);
  return { name: text(body["name"]), spans: number(body["spanCount"]), errors: number(body["errorCount"]) };
}

export function decodeServices(wire: unknown): readonly ServiceEntry[] {
  return array(object(wire)["services"]).map((item) => {
    const body = object(item);
    return { name: text(body["name"]), spans: number(body["spans"]), errors: number(body["errors"]) };
  });
}

export function decodeOperations(wire: unknown): readonly OperationEntry[] {
  return array(object(wire)["operations"]).map((item) => {
    const body = object(item);
    return { name: text(body["name"]), spans: number(body["spans"]), roots: number(body["roots"]) };
  });
}

/** From the earliest start to the latest end of all spans. */
export interface Extent {
  readonly start: UnixNanos;
  readonly end: UnixNanos;
  /** Traces that do not count, since their clocks are wrong by years. */
  readonly leftOut: number;
}

export function decodeExtent(wire: unknown): Extent | null {
  const body = object(wire);
  const [start, end] = [body["startTimeUnixNano"], body["endTimeUnixNano"]];
  if (typeof start !== "string" || typeof end !== "string") return null;
  return { start: unixNanos(bigint(start)), end: unixNanos(bigint(end)), leftOut: number(body["leftOut"]) };
}

/** Spans of one trace, by id. */
export function decodeMatches(wire: unknown): readonly SpanId[] {
  return array(object(wire)["spans"]).flatMap((id) => spanId(text(id)) ?? []);
}
