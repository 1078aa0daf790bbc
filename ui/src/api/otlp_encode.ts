/** Spans of the model back to OTLP/JSON: what "raw" shows, "copy" copies and "download" saves. Fields that are zero or empty are left out. */
import type { TraceId } from "../base/ids.ts";
import { instantAt, offset, type UnixNanos } from "../base/time.ts";
import type { Steps } from "../base/turns.ts";
import type { Attribute, AttributeValue } from "../model/attribute.ts";
import type { Resource, Scope, Span, SpanEvent, SpanKind, SpanLink, Status } from "../model/span.ts";
import type { Trace } from "../model/trace.ts";
import type { JsonObject } from "./json.ts";
import { closing, listText, opening } from "./json_text.ts";

const KIND_NUMBERS: Readonly<Record<SpanKind, number>> = {
  unspecified: 0,
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
const CODE_NUMBERS: Readonly<Record<Status["code"], number>> = { unset: 0, ok: 1, error: 2 };

/** One span with its resource and scope, as a complete `TracesData` document that any OTLP tool reads. */
export function encodeSpan(id: TraceId, traceStart: UnixNanos, span: Span): JsonObject {
  return { resourceSpans: [encodeResourceSpans(id, traceStart, span.resource, [span])] };
}

/** A whole trace as a `TracesData` document, spans under their resources and scopes. */
export function encodeTrace(trace: Trace): JsonObject {
  const byResource = groupedBy(trace.spans, (span) => span.resource);
  return { resourceSpans: [...byResource].map(([resource, spans]) => encodeResourceSpans(trace.id, trace.start, resource, spans)) };
}

/** The text of the same document in pieces; `onDone` hears how many spans have been written. */
export function* otlpText({ id, start, spans }: Trace, onDone: (spans: number) => void = () => undefined): Steps<readonly string[]> {
  const pieces = ['{"resourceSpans":['];
  let done = 0;
  for (const [resource, ofResource] of groupedBy(spans, (span) => span.resource)) {
    const { schemaUrl, ...head } = encodeResource(resource);
    pieces.push(done === 0 ? "" : ",", opening(head), '"scopeSpans":[');
    let isFirst = true;
    for (const [scope, own] of groupedBy(ofResource, (span) => span.scope)) {
      const { schemaUrl: ofScope, ...scopeHead } = encodeScope(scope);
      const before = done;
      pieces.push(isFirst ? "" : ",", opening(scopeHead), '"spans":[');
      pieces.push(...(yield* listText(own, (span) => encodeBareSpan(id, start, span), (count) => onDone(before + count))));
      pieces.push("]", closing(compact({ schemaUrl: ofScope })));
      done += own.length;
      isFirst = false;
    }
    pieces.push("]", closing(compact({ schemaUrl })));
  }
  pieces.push("]}");
  return pieces;
}

function encodeResourceSpans(id: TraceId, traceStart: UnixNanos, resource: Resource, spans: readonly Span[]): JsonObject {
  const { schemaUrl, ...head } = encodeResource(resource);
  const scopeSpans = [...groupedBy(spans, (span) => span.scope)].map(([scope, own]) => {
    const { schemaUrl: ofScope, ...scopeHead } = encodeScope(scope);
    return compact({ ...scopeHead, spans: own.map((span) => encodeBareSpan(id, traceStart, span)), schemaUrl: ofScope });
  });
  return compact({ ...head, scopeSpans, schemaUrl });
}

function encodeResource({ attributes, droppedAttributes, schemaUrl }: Resource): JsonObject {
  return compact({ resource: compact({ attributes: encodeAttributes(attributes), droppedAttributesCount: droppedAttributes }), schemaUrl });
}

function encodeScope({ name, version, attributes, droppedAttributes, schemaUrl }: Scope): JsonObject {
  return compact({ scope: compact({ name, version, attributes: encodeAttributes(attributes), droppedAttributesCount: droppedAttributes }), schemaUrl });
}

function groupedBy<K>(spans: readonly Span[], keyOf: (span: Span) => K): Map<K, Span[]> {
  const groups = new Map<K, Span[]>();
  for (const span of spans) {
    const group = groups.get(keyOf(span));
    if (group) group.push(span);
    else groups.set(keyOf(span), [span]);
  }
  return groups;
}

function encodeBareSpan(id: TraceId, traceStart: UnixNanos, span: Span): JsonObject {
  return compact({
    traceId: id,
    spanId: span.id,
    parentSpanId: span.parentId ?? "",
    traceState: span.traceState,
    flags: span.flags,
    name: span.name,
    kind: KIND_NUMBERS[span.kind],
    startTimeUnixNano: `${instantAt(traceStart, span.start)}`,
    endTimeUnixNano: `${instantAt(traceStart, offset(span.start + span.duration))}`,
    attributes: encodeAttributes(span.attributes),
    droppedAttributesCount: span.droppedAttributes,
    events: span.events.map((event) => encodeEvent(traceStart, event)),
    droppedEventsCount: span.droppedEvents,
    links: span.links.map(encodeLink),
    droppedLinksCount: span.droppedLinks,
    status: compact({ code: CODE_NUMBERS[span.status.code], message: span.status.message }),
  });
}

function encodeEvent(traceStart: UnixNanos, event: SpanEvent): JsonObject {
  return compact({
    timeUnixNano: `${instantAt(traceStart, event.at)}`,
    name: event.name,
    attributes: encodeAttributes(event.attributes),
    droppedAttributesCount: event.droppedAttributes,
  });
}

function encodeLink(link: SpanLink): JsonObject {
  return compact({
    traceId: link.traceId,
    spanId: link.spanId,
    traceState: link.traceState,
    flags: link.flags,
    attributes: encodeAttributes(link.attributes),
    droppedAttributesCount: link.droppedAttributes,
  });
}

export function encodeAttributes(attributes: readonly Attribute[]): readonly JsonObject[] {
  return attributes.map(({ key, value }) => ({ key, value: encodeValue(value) }));
}

function encodeValue(value: AttributeValue): JsonObject {
  switch (value.type) {
    case "string":
      return { stringValue: value.value };
    case "int":
      return { intValue: `${value.value}` };
    case "double":
      return { doubleValue: Number.isFinite(value.value) ? value.value : `${value.value}` };
    case "bool":
      return { boolValue: value.value };
    case "bytes":
      return { bytesValue: value.value };
    case "array":
      return { arrayValue: { values: value.value.map(encodeValue) } };
    case "map":
      return { kvlistValue: { values: encodeAttributes(value.value) } };
    case "empty":
      return {};
  }
}

/** Without the fields that OTLP/JSON leaves out: zero, empty text, empty list, empty message. */
function compact(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isAbsent(value)));
}

function isAbsent(value: unknown): boolean {
  if (value === 0 || value === "" || value === undefined) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
