/** Traces as Jaeger's page saves them, as OTLP/JSON: one way in for both. */
import { array, type JsonObject, number, object, text } from "./json.ts";

/** `{ traceID, spans, processes }`, one of `data`. */
export function isJaegerTrace(wire: JsonObject): boolean {
  return Array.isArray(wire["spans"]) && typeof wire["processes"] === "object" && wire["processes"] !== null;
}

const KINDS: Readonly<Record<string, number>> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const NS_PER_US = 1000n;
/** Say what OTLP has fields for. */
const TAGS_WITH_FIELDS: ReadonlySet<string> = new Set(["span.kind", "error", "otel.status_code", "otel.status_description", "otel.scope.name", "otel.scope.version", "w3c.tracestate"]);

/** Spans of one process share its resource. */
export function otlpFromJaeger(wire: JsonObject): JsonObject {
  const processes = object(wire["processes"]);
  const byProcess = new Map<string, JsonObject[]>();
  for (const span of array(wire["spans"]).map(object)) {
    const process = text(span["processID"]);
    const spans = byProcess.get(process);
    if (spans) spans.push(span);
    else byProcess.set(process, [span]);
  }
  return { resourceSpans: [...byProcess].map(([process, spans]) => resourceSpans(object(processes[process] ?? spans[0]?.["process"]), spans)) };
}

function resourceSpans(process: JsonObject, spans: readonly JsonObject[]): JsonObject {
  const attributes = [{ key: "service.name", value: { stringValue: text(process["serviceName"]) } }, ...array(process["tags"]).map(attribute)];
  const scopes = new Map<string, { readonly scope: JsonObject; readonly spans: JsonObject[] }>();
  for (const span of spans) {
    const tags = tagsOf(span);
    const scope = { name: text(tags.get("otel.scope.name")), version: text(tags.get("otel.scope.version")) };
    const key = JSON.stringify(scope);
    const found = scopes.get(key) ?? { scope, spans: new Array<JsonObject>() };
    scopes.set(key, found);
    found.spans.push(otlpSpan(span, tags));
  }
  return { resource: { attributes }, scopeSpans: [...scopes.values()] };
}

const tagsOf = (span: JsonObject): ReadonlyMap<string, unknown> =>
  new Map(array(span["tags"]).map((tag) => [text(object(tag)["key"]), object(tag)["value"]]));

function otlpSpan(span: JsonObject, tags: ReadonlyMap<string, unknown>): JsonObject {
  const start = micros(span["startTime"]);
  const references = array(span["references"]).map(object);
  const parent = references.find((one) => one["refType"] === "CHILD_OF" && one["traceID"] === span["traceID"]) ?? references.find((one) => one["traceID"] === span["traceID"]);
  return {
    traceId: span["traceID"],
    spanId: span["spanID"],
    parentSpanId: text(parent?.["spanID"]) || text(span["parentSpanID"]),
    traceState: text(tags.get("w3c.tracestate")),
    name: span["operationName"],
    kind: KINDS[text(tags.get("span.kind"))] ?? 0,
    startTimeUnixNano: `${start}`,
    endTimeUnixNano: `${start + micros(span["duration"])}`,
    attributes: array(span["tags"])
      .filter((tag) => !TAGS_WITH_FIELDS.has(text(object(tag)["key"])))
      .map(attribute),
    events: array(span["logs"]).map((log) => otlpEvent(object(log))),
    links: references.filter((one) => one !== parent).map((one) => ({ traceId: one["traceID"], spanId: one["spanID"], attributes: [] })),
    status: otlpStatus(tags),
  };
}

/** Whole microseconds on the wire; a double is exact to them for two centuries. */
const micros = (wire: unknown): bigint => BigInt(Math.round(number(wire))) * NS_PER_US;

function otlpStatus(tags: ReadonlyMap<string, unknown>): JsonObject {
  const isError = tags.get("error") === true || tags.get("error") === "true" || tags.get("otel.status_code") === "ERROR";
  const code = isError ? 2 : tags.get("otel.status_code") === "OK" ? 1 : 0;
  return { code, message: text(tags.get("otel.status_description")) };
}

function otlpEvent(log: JsonObject): JsonObject {
  const fields = array(log["fields"]).map(object);
  const named = fields.find(({ key }) => key === "event") ?? fields.find(({ key }) => key === "message");
  return {
    timeUnixNano: `${micros(log["timestamp"])}`,
    name: text(named?.["value"]) || "log",
    attributes: fields.filter((field) => field !== named).map(attribute),
  };
}

function attribute(tag: unknown): JsonObject {
  const { key, type, value } = object(tag);
  return { key, value: attributeValue(type, value) };
}

function attributeValue(type: unknown, value: unknown): JsonObject {
  if (type === "int64" || (type === undefined && Number.isInteger(value))) return { intValue: `${typeof value === "number" ? BigInt(Math.trunc(value)) : text(value)}` };
  if (type === "float64" || typeof value === "number") return { doubleValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (type === "bool") return { boolValue: value === "true" };
  if (type === "binary") return { bytesValue: text(value) };
  return { stringValue: typeof value === "string" ? value : JSON.stringify(value ?? "") };
}
