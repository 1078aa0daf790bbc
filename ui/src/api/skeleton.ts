/** The columns of a skeleton to a `Trace`: what is drawn of its spans, and nothing else. */
import type { SpanId, TraceId } from "../base/ids.ts";
import { duration, offset, unixNanos } from "../base/time.ts";
import { atOnce, type Steps } from "../base/turns.ts";
import { CODES, KINDS, type Resource, type Scope, type Span, type Status } from "../model/span.ts";
import type { Trace } from "../model/trace.ts";
import { array, bigint, number, object, text, texts } from "./json.ts";

const ID_DIGITS = 16;
const NOTHING: readonly never[] = [];
const NO_SCOPE: Scope = { name: "", version: "", attributes: NOTHING, droppedAttributes: 0, schemaUrl: "" };
/** One object for each code: 50,000 spans share three. */
const STATUSES: readonly Status[] = CODES.map((code) => ({ code, message: "" }));
const UNSET: Status = { code: "unset", message: "" };

/** So many spans are a step: some two milliseconds. */
const STEP_SPANS = 4_096;

/** Decodes the answer of `GET /api/v1/traces/{id}/skeleton`. */
export const decodeSkeleton = (id: TraceId, wire: unknown): Trace => atOnce(skeletonInSteps(id, wire));

/** The same in steps: for whoever gives way between them. */
export function* skeletonInSteps(id: TraceId, wire: unknown): Steps<Trace> {
  const body = object(wire);
  const ids = idsOf(text(body["ids"]));
  const [parent, name, service] = [array(body["parent"]), array(body["name"]), array(body["service"])];
  const [start, length] = [array(body["startNs"]), array(body["durationNs"])];
  const names = texts(body["names"]);
  const resources = texts(body["services"]).map(bareResource);
  const [kinds, statuses] = [text(body["kinds"]), text(body["statuses"])];
  const lost = idsOf(text(body["orphanParents"]));
  const lostParents = new Map(array(body["orphan"]).map((row, i) => [number(row), lost[i] ?? null]));
  const nobody = bareResource("unknown_service");
  let end = 0;
  const spans: Span[] = [];
  for (const [row, own] of ids.entries()) {
    if (row % STEP_SPANS === 0) yield;
    const span: Span = {
      id: own,
      parentId: ids[number(parent[row] ?? -1)] ?? lostParents.get(row) ?? null,
      name: names[number(name[row])] ?? "",
      kind: KINDS[digitAt(kinds, row)] ?? "unspecified",
      start: offset(number(start[row])),
      duration: duration(number(length[row])),
      status: STATUSES[digitAt(statuses, row)] ?? UNSET,
      attributes: NOTHING,
      events: NOTHING,
      links: NOTHING,
      resource: resources[number(service[row])] ?? nobody,
      scope: NO_SCOPE,
      traceState: "",
      flags: 0,
      droppedAttributes: 0,
      droppedEvents: 0,
      droppedLinks: 0,
    };
    end = Math.max(end, span.start + span.duration);
    spans.push(span);
  }
  return { id, start: unixNanos(bigint(body["startTimeUnixNano"])), duration: duration(end), spans, isSkeleton: true, missing: texts(body["missing"]) };
}

/** Looked at once for all of them: a large trace has a hundred thousand. */
function idsOf(digits: string): readonly SpanId[] {
  if (!/^[0-9a-f]*$/.test(digits)) return [];
  return Array.from({ length: Math.floor(digits.length / ID_DIGITS) }, (_, i) => digits.slice(i * ID_DIGITS, (i + 1) * ID_DIGITS) as SpanId);
}

const digitAt = (digits: string, row: number): number => digits.charCodeAt(row) - 48;

function bareResource(service: string): Resource {
  return { service, attributes: NOTHING, droppedAttributes: 0, schemaUrl: "" };
}
