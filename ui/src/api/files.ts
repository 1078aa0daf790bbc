/** Traces in a file that somebody was sent: OTLP/JSON (also as lines, or as Tempo answers it) and what Jaeger's page saves. */
import { type TraceId, traceId } from "../base/ids.ts";
import type { Trace } from "../model/trace.ts";
import type { TraceCount } from "./file_messages.ts";
import { isJaegerTrace, otlpFromJaeger } from "./jaeger.ts";
import { array, type JsonObject, object, text } from "./json.ts";
import { decodeTrace } from "./otlp.ts";

/** More makes a browser's tab stand still or fall. */
export const FILE_BYTES_MAX = 200_000_000;

export interface ParsedFile {
  /** The traces in it, most spans first. */
  readonly traces: readonly TraceCount[];
  /** Null for a trace that is not in it. */
  readonly read: (id: TraceId) => Trace | null;
}

/** Why a file cannot be shown; the message is for the reader. */
export class FileError extends Error {}

export function openFile(name: string, content: string): ParsedFile {
  const resourceSpans = documents(content).flatMap(resourceSpansOf);
  const counts = new Map<TraceId, number>();
  for (const span of resourceSpans.flatMap(spansOf)) {
    const id = idOf(span["traceId"]);
    if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  if (counts.size === 0) throw new FileError(`${name} has no spans: OTLP JSON (resourceSpans) and Jaeger JSON (data, or spans with processes) are understood`);
  const traces = [...counts].map(([id, spans]) => ({ id, spans })).sort((a, b) => b.spans - a.spans);
  return { traces, read: (id) => (counts.has(id) ? decodeTrace(id, { resourceSpans }) : null) };
}

/** One JSON document, or one on each line. */
function documents(content: string): readonly unknown[] {
  const whole = parsed(content);
  if (whole !== undefined) return [whole];
  const lines = content.split("\n").filter((line) => line.trim() !== "");
  const documents = lines.map(parsed);
  const wrong = documents.findIndex((document) => document === undefined);
  if (wrong < 0) return documents;
  throw new FileError(lines.length > 1 && wrong > 0 ? `line ${wrong + 1} is not JSON` : "the file is not JSON");
}

function parsed(content: string): unknown {
  try {
    return JSON.parse(content) as unknown;
  } catch {
    return undefined;
  }
}

function resourceSpansOf(wire: unknown): readonly JsonObject[] {
  if (Array.isArray(wire)) return wire.flatMap(resourceSpansOf);
  const body = object(wire);
  if (isJaegerTrace(body)) return array(otlpFromJaeger(body)["resourceSpans"]).map(object);
  const inner = body["data"] ?? body["trace"];
  if (inner !== undefined) return resourceSpansOf(inner);
  return array(body["resourceSpans"] ?? body["batches"]).map((one) => withPlainIds(object(one)));
}

const spansOf = (resourceSpans: JsonObject): readonly JsonObject[] =>
  array(resourceSpans["scopeSpans"] ?? resourceSpans["instrumentationLibrarySpans"]).flatMap((scope) => array(object(scope)["spans"]).map(object));

/** Some write ids as protobuf's JSON does, in base64; inside they are hexadecimal. */
function withPlainIds(resourceSpans: JsonObject): JsonObject {
  const [first] = spansOf(resourceSpans);
  if (!first || idOf(first["traceId"]) === text(first["traceId"]).toLowerCase().padStart(32, "0")) return resourceSpans;
  const plain = (span: JsonObject): JsonObject => ({ ...span, traceId: hex(span["traceId"]), spanId: hex(span["spanId"]), parentSpanId: hex(span["parentSpanId"]) });
  return {
    ...resourceSpans,
    scopeSpans: array(resourceSpans["scopeSpans"]).map((scope) => ({ ...object(scope), spans: array(object(scope)["spans"]).map((span) => plain(object(span))) })),
  };
}

function idOf(wire: unknown): TraceId | null {
  return traceId(text(wire)) ?? traceId(hex(wire));
}

/** Base64 as hexadecimal digits; what is neither is left as it is. */
function hex(wire: unknown): string {
  const given = text(wire);
  if (!/^[A-Za-z0-9+/]{8,24}={0,2}$/.test(given) || /^[0-9a-fA-F]+$/.test(given)) return given;
  return Array.from(atob(given), (letter) => letter.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
