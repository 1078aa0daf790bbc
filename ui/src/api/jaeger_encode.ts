/**
 * A trace as Jaeger's page saves it. What Jaeger has no field for is in tags of the names that OpenTelemetry's exporters use;
 * times are whole microseconds, rounded down.
 */
import type { SpanId, TraceId } from "../base/ids.ts";
import { instantAt, NS_PER_US, type UnixNanos } from "../base/time.ts";
import type { Steps } from "../base/turns.ts";
import { type Attribute, type AttributeValue, valueText } from "../model/attribute.ts";
import type { Resource, Span, SpanEvent } from "../model/span.ts";
import type { Trace } from "../model/trace.ts";
import type { JsonObject } from "./json.ts";
import { closing, listText, opening } from "./json_text.ts";

const SERVICE = "service.name";

/** What the document says beside its one trace. */
const ABOUT: JsonObject = { total: 1, limit: 0, offset: 0, errors: null };

/** The text of the document with one trace, in pieces; each resource is a process. `onDone` hears how many spans have been written. */
export function* jaegerText({ id, start, spans }: Trace, onDone: (spans: number) => void = () => undefined): Steps<readonly string[]> {
  const processIds = new Map<Resource, string>();
  for (const { resource } of spans) if (!processIds.has(resource)) processIds.set(resource, `p${processIds.size + 1}`);
  const processes = Object.fromEntries([...processIds].map(([resource, process]) => [process, processOf(resource)]));
  const written = yield* listText(spans, (span) => spanOf(id, start, span, processIds.get(span.resource) ?? ""), onDone);
  return ['{"data":[', opening({ traceID: id }), '"spans":[', ...written, "]", closing({ processes, warnings: null }), "]", closing(ABOUT)];
}

function processOf({ service, attributes }: Resource): JsonObject {
  return { serviceName: service, tags: attributes.filter(({ key }) => key !== SERVICE).map(tagOf) };
}

function spanOf(trace: TraceId, start: UnixNanos, span: Span, processID: string): JsonObject {
  const reference = (refType: string, traceID: TraceId, spanID: SpanId): JsonObject => ({ refType, traceID, spanID });
  return {
    traceID: trace,
    spanID: span.id,
    flags: span.flags & 0xff,
    operationName: span.name,
    references: [
      ...(span.parentId === null ? [] : [reference("CHILD_OF", trace, span.parentId)]),
      ...span.links.map((link) => reference("FOLLOWS_FROM", link.traceId, link.spanId)),
    ],
    startTime: micros(instantAt(start, span.start)),
    duration: Math.floor(span.duration / NS_PER_US),
    tags: [...span.attributes.map(tagOf), ...ownTags(span)],
    logs: span.events.map((event) => logOf(start, event)),
    processID,
    warnings: null,
  };
}

/** What a span says beside its attributes, as far as it says it. */
function ownTags({ kind, status, scope, traceState }: Span): readonly JsonObject[] {
  const texts = {
    "span.kind": kind === "unspecified" ? "" : kind,
    "otel.status_code": status.code === "unset" ? "" : status.code.toUpperCase(),
    "otel.status_description": status.message,
    "otel.scope.name": scope.name,
    "otel.scope.version": scope.version,
    "w3c.tracestate": traceState,
  };
  const tags: JsonObject[] = Object.entries(texts).flatMap(([key, value]) => (value === "" ? [] : [{ key, type: "string", value }]));
  return status.code === "error" ? [...tags, { key: "error", type: "bool", value: true }] : tags;
}

function logOf(start: UnixNanos, event: SpanEvent): JsonObject {
  return { timestamp: micros(instantAt(start, event.at)), fields: [{ key: "event", type: "string", value: event.name }, ...event.attributes.map(tagOf)] };
}

const micros = (t: UnixNanos): number => Number(t / 1000n);

function tagOf({ key, value }: Attribute): JsonObject {
  return { key, ...tagValue(value) };
}

/** Jaeger has no lists and maps: they are their text. */
function tagValue(value: AttributeValue): JsonObject {
  switch (value.type) {
    case "bool":
      return { type: "bool", value: value.value };
    case "int":
      // A number where JSON's are exact.
      return { type: "int64", value: Number.isSafeInteger(Number(value.value)) ? Number(value.value) : `${value.value}` };
    case "double":
      // JSON has no NaN and no infinity.
      return Number.isFinite(value.value) ? { type: "float64", value: value.value } : { type: "string", value: `${value.value}` };
    case "bytes":
      return { type: "binary", value: value.value };
    default:
      return { type: "string", value: valueText(value) };
  }
}
