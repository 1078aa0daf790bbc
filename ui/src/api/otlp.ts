/** OTLP/JSON to a `Trace`: the only place that knows the wire's names for spans. */
import { type SpanId, spanId, type TraceId, traceId } from "../base/ids.ts";
import { duration, offset, offsetFrom, type UnixNanos, unixNanos } from "../base/time.ts";
import { type Attribute, type AttributeValue, NESTING_MAX, stringAttribute } from "../model/attribute.ts";
import { CODES, KINDS, type Resource, type Scope, type Span, type SpanEvent, type SpanLink, type Status } from "../model/span.ts";
import type { Trace } from "../model/trace.ts";
import { array, bigint, type JsonObject, number, object, text, texts } from "./json.ts";

/** A span whose absolute times are read but not yet relative to anything. */
interface Found {
  readonly wire: JsonObject;
  readonly start: bigint;
  readonly end: bigint;
  readonly resource: Resource;
  readonly scope: Scope;
}

/**
 * Decodes the answer of `GET /api/v1/traces/{id}`. Spans of other traces and spans without an id are left out.
 * Spans that start at zero do not move the start of the trace to 1970 as long as another span knows the time.
 */
export function decodeTrace(id: TraceId, wire: unknown): Trace {
  const body = object(wire);
  const found = findSpans(body, id);
  const timed = found.filter((f) => f.start > 0n);
  const bounds = timed.length > 0 ? timed : found;
  const start = bounds.reduce<bigint | null>((least, f) => (least === null || f.start < least ? f.start : least), null) ?? 0n;
  const end = bounds.reduce((most, f) => (f.end > most ? f.end : most), start);
  return {
    id,
    start: unixNanos(start),
    duration: duration(Number(end - start)),
    spans: decodeSpans(found, unixNanos(start)),
    isSkeleton: false,
    missing: texts(body["missing"]),
  };
}

/** Resources and scopes by what they are on the wire, so that parts of a trace share them. */
export interface Shared {
  readonly resources: Map<string, Resource>;
  readonly scopes: Map<string, Scope>;
}

export const nothingShared = (): Shared => ({ resources: new Map(), scopes: new Map() });

/** A part of a trace that is known to start at `start`: the spans of one line of its answer. */
export function decodePart(id: TraceId, wire: unknown, start: UnixNanos, shared: Shared): readonly Span[] {
  return decodeSpans(findSpans(object(wire), id, shared), start);
}

/** What `decode` makes of `wire`, or made before of the same `said`. */
function once<T>(known: Map<string, T>, said: unknown, wire: JsonObject, decode: (wire: JsonObject) => T): T {
  const key = JSON.stringify([said, wire["schemaUrl"]]);
  const decoded = known.get(key) ?? decode(wire);
  known.set(key, decoded);
  return decoded;
}

const decodeSpans = (found: readonly Found[], start: UnixNanos): readonly Span[] => found.flatMap((f) => decodeSpan(f, start) ?? []);

function findSpans(body: JsonObject, id: TraceId, shared = nothingShared()): readonly Found[] {
  const found: Found[] = [];
  for (const resourceSpans of array(body["resourceSpans"]).map(object)) {
    const resource = once(shared.resources, resourceSpans["resource"], resourceSpans, decodeResource);
    for (const scopeSpans of array(resourceSpans["scopeSpans"]).map(object)) {
      const scope = once(shared.scopes, scopeSpans["scope"], scopeSpans, decodeScope);
      for (const wire of array(scopeSpans["spans"]).map(object)) {
        if (wire["traceId"] !== id && traceId(text(wire["traceId"])) !== id) continue;
        const start = bigint(wire["startTimeUnixNano"]);
        found.push({ wire, start, end: bigint(wire["endTimeUnixNano"]), resource, scope });
      }
    }
  }
  return found;
}

function decodeResource(wire: JsonObject): Resource {
  const resource = object(wire["resource"]);
  const attributes = decodeAttributes(resource["attributes"]);
  return {
    service: stringAttribute(attributes, "service.name") || "unknown_service",
    attributes,
    droppedAttributes: number(resource["droppedAttributesCount"]),
    schemaUrl: text(wire["schemaUrl"]),
  };
}

function decodeScope(wire: JsonObject): Scope {
  const scope = object(wire["scope"]);
  return {
    name: text(scope["name"]),
    version: text(scope["version"]),
    attributes: decodeAttributes(scope["attributes"]),
    droppedAttributes: number(scope["droppedAttributesCount"]),
    schemaUrl: text(wire["schemaUrl"]),
  };
}

function decodeSpan({ wire, start, end, resource, scope }: Found, traceStart: UnixNanos): Span | null {
  const id = spanId(text(wire["spanId"]));
  if (id === null) return null;
  return {
    id,
    parentId: spanId(text(wire["parentSpanId"])),
    name: text(wire["name"]),
    kind: KINDS[number(wire["kind"])] ?? "unspecified",
    start: start > 0n ? offsetFrom(traceStart, unixNanos(start)) : offset(0),
    duration: duration(Number(end - start)),
    status: decodeStatus(object(wire["status"])),
    attributes: decodeAttributes(wire["attributes"]),
    events: array(wire["events"]).map((event) => decodeEvent(object(event), traceStart)).sort((a, b) => a.at - b.at),
    links: array(wire["links"]).flatMap((link) => decodeLink(object(link)) ?? []),
    resource,
    scope,
    traceState: text(wire["traceState"]),
    flags: number(wire["flags"]),
    droppedAttributes: number(wire["droppedAttributesCount"]),
    droppedEvents: number(wire["droppedEventsCount"]),
    droppedLinks: number(wire["droppedLinksCount"]),
  };
}

function decodeStatus(wire: JsonObject): Status {
  return { code: CODES[number(wire["code"])] ?? "unset", message: text(wire["message"]) };
}

function decodeEvent(wire: JsonObject, traceStart: UnixNanos): SpanEvent {
  return {
    name: text(wire["name"]),
    at: offsetFrom(traceStart, unixNanos(bigint(wire["timeUnixNano"]))),
    attributes: decodeAttributes(wire["attributes"]),
    droppedAttributes: number(wire["droppedAttributesCount"]),
  };
}

function decodeLink(wire: JsonObject): SpanLink | null {
  const trace = traceId(text(wire["traceId"]));
  const span: SpanId | null = spanId(text(wire["spanId"]));
  if (trace === null || span === null) return null;
  return {
    traceId: trace,
    spanId: span,
    traceState: text(wire["traceState"]),
    flags: number(wire["flags"]),
    attributes: decodeAttributes(wire["attributes"]),
    droppedAttributes: number(wire["droppedAttributesCount"]),
  };
}

function decodeAttributes(wire: unknown, depth = 0): readonly Attribute[] {
  return array(wire).map((item) => {
    const { key, value } = object(item);
    return { key: text(key), value: decodeValue(object(value), depth) };
  });
}

function decodeValue(wire: JsonObject, depth: number): AttributeValue {
  if (typeof wire["stringValue"] === "string") return { type: "string", value: wire["stringValue"] };
  if (wire["intValue"] != null) return { type: "int", value: bigint(wire["intValue"]) };
  if (wire["doubleValue"] != null) return { type: "double", value: decodeDouble(wire["doubleValue"]) };
  if (typeof wire["boolValue"] === "boolean") return { type: "bool", value: wire["boolValue"] };
  if (typeof wire["bytesValue"] === "string") return { type: "bytes", value: wire["bytesValue"] };
  if (depth >= NESTING_MAX) return { type: "string", value: "…" };
  if (wire["arrayValue"] != null) {
    const values = array(object(wire["arrayValue"])["values"]);
    return { type: "array", value: values.map((v) => decodeValue(object(v), depth + 1)) };
  }
  if (wire["kvlistValue"] != null) {
    return { type: "map", value: decodeAttributes(object(wire["kvlistValue"])["values"], depth + 1) };
  }
  return { type: "empty" };
}

/** Doubles may be the texts `NaN`, `Infinity` and `-Infinity`, which JSON cannot say otherwise. */
function decodeDouble(wire: unknown): number {
  return typeof wire === "string" || typeof wire === "number" ? Number(wire) : Number.NaN;
}
