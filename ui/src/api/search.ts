/** Answers to a query, and what the server says about its text. */
import { spanId } from "../base/ids.ts";
import { formatCount } from "../base/format.ts";
import { duration, type UnixNanos, unixNanos } from "../base/time.ts";
import type { Diagnosis, Diagnostic, OfferKind, Offers } from "../model/diagnosis.ts";
import type { FoundAttribute, Hit, HitPage, MatchedSpan, SpanSet } from "../model/hit.ts";
import type { LabelValue } from "../model/series.ts";
import type { Order } from "../model/summary.ts";
import { byteOffset, unitOffset } from "../query/bytes.ts";
import { attributeField } from "../query/edit.ts";
import { array, bigint, type JsonObject, number, object, text, texts } from "./json.ts";
import { decodeSummary } from "./list.ts";

/** The two ends of a list, fixed at its first page so that all pages speak of the same stretch of time. */
export interface Bounds {
  readonly start: UnixNanos | null;
  readonly end: UnixNanos | null;
}

export interface SearchQuestion {
  /** TraceQL; empty for every trace. */
  readonly query: string;
  readonly bounds: Bounds;
  readonly order: Order;
  readonly limit: number;
  readonly cursor: string | null;
}

/** Spans told of each set: enough to see what matched; the rest is in the trace. */
export const spansPerSet = { spss: "5" };

/** Lists of every trace do not go through the query engine: they are answered from the tables of traces alone. */
export function searchAddress({ query, bounds, order, limit, cursor }: SearchQuestion): string {
  const asked = new URLSearchParams();
  if (query !== "") asked.set("q", query);
  if (bounds.start !== null) asked.set("start", `${bounds.start}`);
  if (bounds.end !== null) asked.set("end", `${bounds.end}`);
  asked.set(query === "" ? "order" : "sort", order);
  asked.set("limit", `${limit}`);
  if (query !== "") asked.set("spss", spansPerSet.spss);
  if (cursor !== null) asked.set("cursor", cursor);
  return `${query === "" ? "/api/v1/traces" : "/api/v1/search"}?${asked}`;
}

export function decodeHits(wire: unknown): HitPage {
  const body = object(wire);
  return {
    hits: array(body["traces"]).flatMap((trace) => decodeHit(trace) ?? []),
    next: text(body["next"]) || null,
    missing: texts(body["missing"]),
    cost: costWords(object(body["stats"])),
  };
}

function costWords(stats: JsonObject): string {
  const ms = number(stats["elapsed_ms"]);
  if (stats["elapsed_ms"] === undefined) return "";
  const spans = number(stats["spans"]);
  return `${spans > 0 ? `${formatCount(spans)} spans looked at in ` : ""}${ms < 10 ? ms.toFixed(1) : formatCount(ms)} ms`;
}

export function decodeHit(wire: unknown): Hit | null {
  const summary = decodeSummary(wire);
  const body = object(wire);
  return summary && { ...summary, matched: number(body["matched"]), sets: array(body["spansets"]).map(decodeSet) };
}

function decodeSet(wire: unknown): SpanSet {
  const body = object(wire);
  return {
    keys: decodeFound(body["keys"]),
    matched: number(body["matched"]),
    spans: array(body["spans"]).flatMap((span) => decodeSpan(object(span)) ?? []),
  };
}

function decodeSpan(body: JsonObject): MatchedSpan | null {
  const id = spanId(text(body["span_id"]));
  if (id === null) return null;
  return {
    id,
    name: text(body["name"]),
    service: text(body["service"]),
    start: unixNanos(bigint(body["start"])),
    duration: duration(number(body["duration"])),
    attributes: decodeFound(body["attributes"]),
  };
}

function decodeFound(wire: unknown): readonly FoundAttribute[] {
  return Object.entries(object(wire)).flatMap(([label, value]): FoundAttribute[] => {
    if (Array.isArray(value)) return [{ label, value: value.filter(isPlain) }];
    return isPlain(value) ? [{ label, value }] : [];
  });
}

const isPlain = (value: unknown): value is LabelValue => ["string", "number", "boolean"].includes(typeof value);

export const checkAddress = (query: string): string => `/api/v1/query/check?${new URLSearchParams({ q: query })}`;

export function decodeDiagnosis(query: string, wire: unknown): Diagnosis {
  const body = object(wire);
  return {
    query,
    isValid: body["valid"] === true,
    kind: body["kind"] === "metrics" ? "metrics" : "search",
    diagnostics: array(body["diagnostics"]).map((item) => decodeDiagnostic(query, object(item))),
  };
}

function decodeDiagnostic(query: string, body: JsonObject): Diagnostic {
  const place = (wire: JsonObject) => ({ from: unitOffset(query, number(wire["start"])), to: unitOffset(query, number(wire["end"])) });
  return {
    severity: body["severity"] === "warning" ? "warning" : "error",
    message: text(body["message"]),
    hint: text(body["hint"]),
    ...place(body),
    fixes: array(body["fixes"]).map((fix) => ({ ...place(object(fix)), text: text(object(fix)["replacement"]) })),
  };
}

/** `at` in UTF-16 units. */
export function completeAddress(query: string, at: number, bounds: Bounds): string {
  const asked = new URLSearchParams({ q: query, at: `${byteOffset(query, at)}` });
  if (bounds.start !== null) asked.set("start", `${bounds.start}`);
  if (bounds.end !== null) asked.set("end", `${bounds.end}`);
  return `/api/v1/query/complete?${asked}`;
}

const OFFER_KINDS: readonly OfferKind[] = ["keyword", "function", "intrinsic", "scope", "operator", "value", "mark", "attribute"];

export function decodeOffers(query: string, wire: unknown): Offers {
  const body = object(wire);
  return {
    from: unitOffset(query, number(body["start"])),
    to: unitOffset(query, number(body["end"])),
    items: array(body["items"]).map((item) => {
      const one = object(item);
      return { kind: OFFER_KINDS.find((kind) => kind === one["kind"]) ?? "keyword", text: text(one["text"]), detail: text(one["detail"]) };
    }),
  };
}

/** Names of attributes as a query writes them: `span.http.route`, and intrinsics bare. */
export function decodeTags(wire: unknown): readonly string[] {
  return array(object(wire)["scopes"]).flatMap((item) => {
    const scope = object(item);
    const name = text(scope["name"]);
    return texts(scope["tags"]).map((tag) => (name === "intrinsic" ? tag : attributeField(name, tag)));
  });
}

export interface KnownValue {
  readonly type: string;
  readonly value: string;
}

export function decodeValues(wire: unknown): readonly KnownValue[] {
  return array(object(wire)["tagValues"]).map((item) => {
    const body = object(item);
    return { type: text(body["type"]), value: text(body["value"]) };
  });
}
