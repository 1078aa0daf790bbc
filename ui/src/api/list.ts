/** Trace lists, services and operations: questions as addresses, answers as models. */
import { traceId } from "../base/ids.ts";
import { durationForQuery } from "../base/format.ts";
import { duration, type UnixNanos, unixNanos, unixNanosOfMillis } from "../base/time.ts";
import type { OperationEntry, ServiceEntry, TraceFilter, TracePage, TraceSummary } from "../model/summary.ts";
import type { ServiceCount } from "../model/trace.ts";
import { array, bigint, number, object, text, texts } from "./json.ts";

/** The two ends of a list, fixed at its first page so that all pages speak of the same stretch of time. */
export interface Bounds {
  readonly start: UnixNanos | null;
  readonly end: UnixNanos | null;
}

/** Where a relative range lies now. Its end stays open: spans that arrive while the answer is made may be in it. */
export function boundsOf(filter: TraceFilter, nowMs: number): Bounds {
  const { range } = filter;
  switch (range.type) {
    case "last":
      return { start: unixNanosOfMillis(nowMs - range.ms), end: null };
    case "between":
      return { start: range.start, end: range.end };
  }
}

export function listAddress(filter: TraceFilter, bounds: Bounds, limit: number, cursor: string | null): string {
  const query = new URLSearchParams();
  if (filter.service !== null) query.set("service", filter.service);
  if (filter.operation !== null) query.set("operation", filter.operation);
  if (filter.minDuration !== null) query.set("minDuration", durationForQuery(filter.minDuration));
  if (filter.maxDuration !== null) query.set("maxDuration", durationForQuery(filter.maxDuration));
  if (filter.error !== null) query.set("error", `${filter.error}`);
  if (bounds.start !== null) query.set("start", `${bounds.start}`);
  if (bounds.end !== null) query.set("end", `${bounds.end}`);
  query.set("order", filter.order);
  query.set("limit", `${limit}`);
  if (cursor !== null) query.set("cursor", cursor);
  return `/api/v1/traces?${query}`;
}

export function decodePage(wire: unknown): TracePage {
  const body = object(wire);
  return {
    traces: array(body["traces"]).flatMap((trace) => decodeSummary(trace) ?? []),
    next: text(body["next"]) || null,
    missing: texts(body["missing"]),
  };
}

function decodeSummary(wire: unknown): TraceSummary | null {
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
