/** Metrics over time, as Tempo answers them, to series. */
import type { Label, LabelValue, Point, Series } from "../model/series.ts";
import { array, bigint, number, object, text } from "./json.ts";

export interface MetricsQuestion {
  readonly query: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

export function metricsAddress({ query, from, to, stepMs }: MetricsQuestion): string {
  return `/api/metrics/query_range?${new URLSearchParams({ q: query, start: seconds(from), end: seconds(to), step: `${Math.round(stepMs)}ms` })}`;
}

/** The same for the whole stretch at once. */
export function instantAddress({ query, from, to }: Omit<MetricsQuestion, "stepMs">): string {
  return `/api/metrics/query?${new URLSearchParams({ q: query, start: seconds(from), end: seconds(to) })}`;
}

/** Series with one value each have no time: it is that of the question. */
export function decodeInstant(wire: unknown): readonly Series[] {
  return array(object(wire)["series"]).map((item) => {
    const body = object(item);
    return { labels: array(body["labels"]).flatMap((label) => decodeLabel(label) ?? []), points: [{ at: 0, value: number(body["value"]) }] };
  });
}

export function decodeSeries(wire: unknown): readonly Series[] {
  return array(object(wire)["series"]).map((item) => {
    const body = object(item);
    return { labels: array(body["labels"]).flatMap((label) => decodeLabel(label) ?? []), points: array(body["samples"]).map(decodePoint) };
  });
}

function decodeLabel(wire: unknown): Label | null {
  const body = object(wire);
  const value = decodeLabelValue(object(body["value"]));
  return value === null ? null : { key: text(body["key"]), value };
}

/** Null where there is no value: an attribute that is absent. */
function decodeLabelValue(wire: Readonly<Record<string, unknown>>): LabelValue | null {
  if (typeof wire["stringValue"] === "string") return wire["stringValue"];
  if (wire["intValue"] != null) return bigint(wire["intValue"]);
  if (wire["doubleValue"] != null) return number(wire["doubleValue"]);
  return typeof wire["boolValue"] === "boolean" ? wire["boolValue"] : null;
}

/** A value of zero is left out on the wire. */
function decodePoint(wire: unknown): Point {
  const body = object(wire);
  return { at: number(body["timestampMs"]), value: number(body["value"]) };
}
