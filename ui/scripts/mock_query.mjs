/** The mock's answers to queries: found traces, metrics, what is wrong with a text, what could be typed. */
import { parse, QueryError } from "./traceql.mjs";

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const STATUSES = ["unset", "ok", "error"];
const MS = 1_000_000;

/** A span as a query sees it; durations in seconds. */
function view(trace, span) {
  const intrinsic = {
    name: span.name,
    duration: span.length / 1000,
    status: STATUSES[span.status?.code ?? 0],
    kind: KINDS[span.kind],
    statusMessage: span.status?.message,
    rootName: trace.spans.find((one) => one.parent === undefined)?.name,
    nestedSetParent: span.parent === undefined ? -1 : 1,
    "resource.service.name": span.service,
    "resource.service.version": "2.4.1",
  };
  return {
    trace,
    span,
    get: (field) => intrinsic[field.replace(/^span:/, "")] ?? intrinsic[field] ?? plain(span.fields[field.replace(/^(span)?\./, "")]),
  };
}

const plain = (value) => (typeof value === "object" ? undefined : typeof value === "bigint" ? Number(value) : value);
const nanos = (trace, ms) => BigInt(Math.round(trace.startMs)) * BigInt(MS) + BigInt(Math.round(ms * MS));

/** `traces` with their rows in lists. */
export function queryAnswers(traces, summaryOf) {
  const views = (trace) => trace.spans.map((span) => view(trace, span));
  const every = () => [...traces()].flatMap(views);

  function search(asked) {
    const query = parse(asked.get("q") || "{ }");
    const [start, end] = ["start", "end"].map((name) => (asked.get(name) ? BigInt(asked.get(name)) : null));
    const spss = Number(asked.get("spss") ?? 3);
    const began = performance.now();
    let looked = 0;
    const found = [];
    for (const trace of traces()) {
      const at = nanos(trace, 0);
      if ((start !== null && at < start) || (end !== null && at >= end)) continue;
      looked += trace.spans.length;
      const matched = views(trace).filter(query.test);
      if (matched.length === 0) continue;
      const spans = matched.slice(0, spss).map((one) => ({
        span_id: one.span.id,
        name: one.span.name,
        service: one.span.service,
        start: `${nanos(trace, one.span.at)}`,
        duration: `${Math.round(one.span.length * MS)}`,
        attributes: Object.fromEntries(query.fields.map((field) => [field, one.get(field)])),
      }));
      found.push({ ...summaryOf(trace), matched: matched.length, spansets: [{ keys: {}, matched: matched.length, spans }] });
    }
    const key = asked.get("sort") === "slowest" ? "durationNanos" : "startTimeUnixNano";
    found.sort((a, b) => Number(BigInt(b[key]) - BigInt(a[key])));
    const from = Number(asked.get("cursor") ?? 0);
    const to = from + Number(asked.get("limit") ?? 20);
    return {
      traces: found.slice(from, to),
      ...(to < found.length && { next: `${to}` }),
      missing: [],
      stats: { traces: found.length, spans: looked, bytes: looked * 20, blocks: 3, blocks_skipped: 1, elapsed_ms: performance.now() - began },
    };
  }

  function metrics(asked) {
    const { test, metric } = parse(asked.get("q"));
    const [start, end] = [Number(asked.get("start")) * 1000, Number(asked.get("end")) * 1000];
    const step = Number.parseFloat(asked.get("step")) || 60_000;
    const series = new Map();
    const count = (labels, at, by) => {
      const key = JSON.stringify(labels);
      const samples = series.get(key) ?? new Map();
      series.set(key, samples);
      const bucket = Math.ceil(at / step) * step;
      samples.set(bucket, (samples.get(bucket) ?? 0) + by);
    };
    for (const one of every()) {
      const at = one.trace.startMs + one.span.at;
      if (at < start || at >= end || !test(one)) continue;
      if (metric.name === "histogram_over_time") count([["__bucket", 2 ** Math.ceil(Math.log2(one.get("duration")))]], at, 1);
      else if (metric.name === "compare") compare(one, at, metric, count);
      else count(metric.by.map((field) => [field, one.get(field) ?? "nil"]), at, metric.name === "rate" ? 1000 / step : 1);
    }
    return {
      series: [...series].map(([key, samples]) => ({
        labels: JSON.parse(key).map(([name, v]) => ({ key: name, value: typeof v === "number" ? { doubleValue: v } : typeof v === "boolean" ? { boolValue: v } : { stringValue: v } })),
        samples: [...samples].map(([at, v]) => ({ timestampMs: `${at}`, value: v })),
      })),
    };
  }

  function instant(asked) {
    const { series } = metrics(asked);
    return { series: series.map(({ labels, samples }) => ({ labels, value: samples.reduce((sum, { value: v }) => sum + v, 0) })) };
  }

  return { search, metrics, instant, check, complete, tags, values };

  function compare(one, at, metric, count) {
    const [, from, to] = metric.arguments.map(Number);
    const ns = at * MS;
    const isSelected = metric.selection(one) && (!from || (ns >= from && ns < to));
    const type = isSelected ? "selection" : "baseline";
    for (const field of fieldsOf(one)) {
      const v = one.get(field);
      if (v === undefined) continue;
      count([["__meta_type", type], [field, v]], at, 1);
      count([["__meta_type", `${type}_total`], [field, "nil"]], at, 1);
    }
  }

  function tags() {
    const keys = new Set(every().slice(0, 50_000).flatMap(({ span }) => Object.keys(span.fields)));
    return {
      scopes: [
        { name: "resource", tags: ["service.name", "service.version"] },
        { name: "span", tags: [...keys].sort() },
        { name: "intrinsic", tags: ["duration", "kind", "name", "rootName", "status", "statusMessage"] },
      ],
    };
  }

  function values(field) {
    const found = new Set(every().map((one) => one.get(field)).filter((v) => v !== undefined));
    const type = (v) => (field === "status" || field === "kind" ? "keyword" : typeof v === "number" ? "float" : typeof v === "boolean" ? "bool" : "string");
    return { tagValues: [...found].slice(0, 100).map((v) => ({ type: type(v), value: `${v}` })) };
  }

  function complete(asked) {
    const [text, at] = [asked.get("q"), Number(asked.get("at"))];
    const word = /[\w.:"]*$/.exec(text.slice(0, at))[0];
    const value = /([\w.:]+)\s*!?=\s*[\w."]*$/.exec(text.slice(0, at));
    const offers = value
      ? values(value[1]).tagValues.map((v) => ({ kind: "value", text: v.type === "string" ? JSON.stringify(v.value) : v.value }))
      : tags().scopes.flatMap(({ name, tags: names }) =>
          names.map((tag) => (name === "intrinsic" ? { kind: "intrinsic", text: tag } : { kind: "attribute", text: `${name}.${tag}`, detail: name })),
        );
    return { start: at - word.length, end: at, items: offers.filter((offer) => offer.text.includes(word.replace(/^"/, ""))).slice(0, 50) };
  }
}

function check(asked) {
  const text = asked.get("q");
  try {
    return { valid: true, kind: parse(text).type, printed: text, diagnostics: [] };
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { valid: false, diagnostics: [{ severity: "error", code: "unexpected", message: error.message, start: error.start, end: error.end, fixes: error.fixes }] };
  }
}

const fieldsOf = ({ span }) => ["resource.service.name", "name", "status", "kind", "rootName", ...Object.keys(span.fields).map((key) => `span.${key}`)];
