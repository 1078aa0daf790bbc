/** A trace as the server answers it: whole, in lines, and as a skeleton. */
import { toOtlp } from "./shop.mjs";

const LINE_SPANS = 500;

const flat = (otlp) =>
  otlp.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans.map((span) => ({ span, resource: r.resource, scope: s.scope }))));

function groupedBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** A document on each line; a span by itself says its resource again. */
export function lines(trace) {
  const spans = flat(toOtlp(trace));
  const documents = [];
  for (let from = 0; from < spans.length; from += LINE_SPANS) {
    const groups = groupedBy(spans.slice(from, from + LINE_SPANS), ({ resource }) => resource);
    const resourceSpans = [...groups].map(([resource, group]) => ({ resource, scopeSpans: [{ scope: group[0].scope, spans: group.map(({ span }) => span) }] }));
    documents.push(JSON.stringify({ resourceSpans, missing: [] }));
  }
  return `${documents.join("\n")}\n`;
}

export function skeleton(trace) {
  const spans = flat(toOtlp(trace));
  const rows = new Map(spans.map(({ span }, row) => [span.spanId, row]));
  const [names, services] = [new Map(), new Map()];
  const index = (known, word) => known.get(word) ?? (known.set(word, known.size), known.size - 1);
  const start = spans.reduce((least, { span }) => (BigInt(span.startTimeUnixNano) < least ? BigInt(span.startTimeUnixNano) : least), BigInt(spans[0].span.startTimeUnixNano));
  const lost = [...spans.keys()].filter((row) => spans[row].span.parentSpanId && !rows.has(spans[row].span.parentSpanId));
  const serviceOf = (resource) => resource.attributes.find(({ key }) => key === "service.name")?.value.stringValue ?? "unknown_service";
  const body = {
    startTimeUnixNano: `${start}`,
    ids: spans.map(({ span }) => span.spanId).join(""),
    parent: spans.map(({ span }) => rows.get(span.parentSpanId) ?? -1),
    orphan: lost,
    orphanParents: lost.map((row) => spans[row].span.parentSpanId).join(""),
    name: spans.map(({ span }) => index(names, span.name)),
    service: spans.map(({ resource }) => index(services, serviceOf(resource))),
    kinds: spans.map(({ span }) => span.kind ?? 0).join(""),
    statuses: spans.map(({ span }) => span.status?.code ?? 0).join(""),
    startNs: spans.map(({ span }) => Number(BigInt(span.startTimeUnixNano) - start)),
    durationNs: spans.map(({ span }) => Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano))),
    missing: [],
  };
  return { ...body, names: [...names.keys()], services: [...services.keys()] };
}
