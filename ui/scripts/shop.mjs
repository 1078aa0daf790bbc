/**
 * Traces of a small shop, made from a seed, for developing the page without a server. Each story returns OTLP spans of one
 * trace; the same seed and the same end of time give the same bytes.
 */

const MS = 1_000_000;

/** mulberry32: small, seeded, good enough for pictures. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    int: (below) => Math.floor(next() * below),
    pick: (items) => items[Math.floor(next() * items.length)],
    /** Log-normal around `median`. */
    around: (median, spread = 0.35) => median * Math.exp(spread * (next() + next() + next() + next() - 2) * 1.7),
    hex: (bytes) => Array.from({ length: bytes * 2 }, () => Math.floor(next() * 16).toString(16)).join(""),
  };
}

const value = (v) => {
  if (typeof v === "string") return { stringValue: v };
  if (typeof v === "boolean") return { boolValue: v };
  if (typeof v === "bigint") return { intValue: `${v}` };
  if (typeof v === "number") return Number.isInteger(v) ? { intValue: `${v}` } : { doubleValue: v };
  if (Array.isArray(v)) return { arrayValue: { values: v.map(value) } };
  return { kvlistValue: { values: attributes(v) } };
};
const attributes = (fields) => Object.entries(fields).map(([key, v]) => ({ key, value: value(v) }));

const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;
const LANGUAGES = { checkout: "go", cart: "dotnet", payment: "nodejs", fraud: "python", frontend: "nodejs", catalogue: "go", tax: "java", orders: "java" };
const STACK = `java.net.SocketTimeoutException: Read timed out
	at java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:278)
	at java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:304)
	at com.example.payment.CardGateway.charge(CardGateway.java:112)
	at com.example.payment.ChargeHandler.handle(ChargeHandler.java:57)`;

/** Collects the spans of one trace; times in milliseconds from its start, which is `startMs` after 1970. */
class Builder {
  constructor(rng, startMs) {
    this.rng = rng;
    this.traceId = rng.hex(16);
    this.startMs = startMs;
    this.spans = [];
  }

  /** Adds a span and returns it. */
  add(service, name, parent, at, length, more = {}) {
    const span = { id: this.rng.hex(8), parent: parent?.id, service, name, kind: 1, at, length, fields: {}, events: [], links: [], ...more };
    this.spans.push(span);
    return span;
  }

  /** A call: a client span in one service and the server span it causes in another. Returns the server span. */
  call(from, service, name, parent, at, length, more = {}) {
    const client = this.add(from, name, parent, at, length, { kind: CLIENT, fields: { "server.address": service, "server.port": 8080 }, status: more.status });
    const gap = Math.min(length * 0.08, 1.5);
    return this.add(service, name, client, at + gap, length - 2 * gap, { kind: SERVER, ...more });
  }

  query(service, statement, parent, at, length) {
    return this.add(service, statement.split(" ").slice(0, 1).concat("shop").join(" "), parent, at, length, {
      kind: CLIENT,
      fields: { "db.system": "postgresql", "db.namespace": "shop", "db.query.text": statement, "db.response.returned_rows": this.rng.int(40) },
    });
  }

  trace() {
    return { traceId: this.traceId, startMs: this.startMs, spans: this.spans };
  }
}

const USERS = ["u-1041", "u-2210", "u-3377", "u-8124", "u-9001"];
const user = (rng) => ({ "user.id": rng.pick(USERS), "app.tenant": rng.next() < 0.1 ? "vip-north" : "standard", "cloud.region": rng.pick(["eu-1", "us-2"]) });

function checkout(rng, startMs, { failing = false, slowFraud = false } = {}) {
  const t = new Builder(rng, startMs);
  const prices = rng.around(35);
  const pays = failing ? 10 * 3_000 : rng.around(120);
  const fraudTime = slowFraud ? rng.around(900) : rng.around(40);
  const total = 12 + prices + fraudTime + pays + 30;
  const status = failing ? { code: 2, message: "payment not possible" } : undefined;
  const root = t.add("frontend", "POST /checkout", null, 0, total, {
    kind: SERVER,
    status,
    fields: { "http.request.method": "POST", "url.path": "/checkout", "http.response.status_code": failing ? 502 : 200, ...user(rng), "app.cart.total": 129.95, "app.express": rng.next() < 0.5 },
  });
  const order = t.call("frontend", "checkout", "PlaceOrder", root, 3, total - 6, { status, fields: { "rpc.system": "grpc", "rpc.service": "shop.Checkout" } });
  const cart = t.call("checkout", "cart", "GetCart", order, 6, rng.around(8));
  t.add("cart", "HGET cart", cart, cart.at + 1, rng.around(1.2, 0.2), { kind: CLIENT, fields: { "db.system": "redis" } });
  const catalogue = t.call("checkout", "catalogue", "GetPrices", order, 12, prices);
  for (let i = 0; i < 4; i++) t.query("catalogue", "SELECT price FROM product WHERE id = $1", catalogue, catalogue.at + 2 + (i * prices) / 5, prices / 7);
  const fraud = t.call("checkout", "fraud", "Score", order, 14 + prices, fraudTime, { fields: { "service.version.model": slowFraud ? "v7" : "v6" } });
  t.add("fraud", "model inference", fraud, fraud.at + 2, fraud.length - 4, { fields: { "model.features": [0.12, 3.5, 42], "model.score": rng.next() } });
  const paying = 16 + prices + fraudTime;
  const attempts = failing ? 10 : 1;
  for (let i = 0; i < attempts; i++) {
    const timedOut = failing ? { code: 2, message: "card gateway: read timed out after 3 s" } : undefined;
    const pay = t.call("checkout", "payment", "Charge", order, paying + (i * pays) / attempts, pays / attempts - 1, { status: timedOut, fields: { "app.attempt": i + 1 } });
    t.add("payment", "POST cards.example.com", pay, pay.at + 1, pay.length - 2, {
      kind: CLIENT,
      status: timedOut,
      fields: { "server.address": "cards.example.com", "http.request.method": "POST", "http.request.resend_count": i },
      events: failing ? [{ name: "exception", at: pay.at + pay.length - 2, fields: { "exception.type": "java.net.SocketTimeoutException", "exception.message": "Read timed out", "exception.stacktrace": STACK } }] : [],
    });
  }
  if (!failing) {
    const publish = t.add("checkout", "orders publish", order, total - 24, 3, { kind: PRODUCER, fields: { "messaging.system": "kafka", "messaging.destination.name": "orders" } });
    const consume = t.add("orders", "orders process", publish, total + 40, rng.around(60), { kind: CONSUMER, links: [{ trace: t.traceId, span: publish.id }], fields: { "messaging.system": "kafka", "messaging.kafka.offset": 9007199254740993n } });
    t.query("orders", "INSERT INTO orders (id, user_id, total) VALUES ($1, $2, $3)", consume, consume.at + 4, consume.length / 3);
    t.call("orders", "mail", "SendReceipt", consume, consume.at + consume.length / 2, consume.length / 3);
  }
  return t.trace();
}

function browse(rng, startMs) {
  const t = new Builder(rng, startMs);
  const rows = 8 + rng.int(40);
  const each = rng.around(2.2);
  const root = t.add("frontend", "GET /category/{id}", null, 0, rows * each + 20, {
    kind: SERVER,
    fields: { "http.request.method": "GET", "url.path": `/category/${rng.int(30)}`, "http.response.status_code": 200, ...user(rng) },
  });
  const list = t.call("frontend", "catalogue", "ListProducts", root, 4, rows * each + 12);
  t.query("catalogue", "SELECT id, name FROM product WHERE category = $1 ORDER BY name LIMIT 50", list, list.at + 1, 6);
  for (let i = 0; i < rows; i++) t.query("catalogue", "SELECT count(*) FROM stock WHERE product_id = $1", list, list.at + 7 + i * each, each * 0.9);
  return t.trace();
}

function quote(rng, startMs) {
  const t = new Builder(rng, startMs);
  const length = rng.around(420, 0.6);
  const failed = rng.next() < 0.08;
  const root = t.add("frontend", "POST /api/shipping/quote", null, 0, length + 9, { kind: SERVER, fields: { "http.response.status_code": 200, ...user(rng) } });
  const shipping = t.call("frontend", "shipping", "GetQuote", root, 4, length);
  const tax = t.call("shipping", "tax", "Rate", shipping, shipping.at + 3, length * 0.8, failed ? { status: { code: 2, message: "no rate for region" } } : {});
  t.add("tax", "geo look-up", tax, tax.at + 2, tax.length - 4, { kind: CLIENT, fields: { "server.address": "geo.internal", "geo.region.iso_code": "DE-BE" } });
  return t.trace();
}

/** The context got lost: spans whose parents are elsewhere, and no root. */
function broken(rng, startMs) {
  const t = new Builder(rng, startMs);
  const lost = { id: rng.hex(8) };
  for (let i = 0; i < 3; i++) {
    const orphan = t.add("recommend", "Recommend", lost, i * 14, rng.around(12), { kind: SERVER });
    t.add("recommend", "rank", orphan, orphan.at + 2, orphan.length - 3);
  }
  return t.trace();
}

/** A nightly run: as many spans as asked, eight levels deep. */
function nightly(rng, startMs, count) {
  const t = new Builder(rng, startMs);
  const root = t.add("orders", "nightly settlement", null, 0, count * 2, { fields: { "job.name": "settlement" } });
  const services = ["orders", "payment", "catalogue", "mail", "tax", "shipping", "fraud"];
  const open = [root];
  while (t.spans.length < count) {
    const parent = open[open.length - 1];
    const index = t.spans.length;
    if (open.length > 1 && (open.length > 8 || rng.next() < 0.45)) {
      open.pop();
      continue;
    }
    const at = Math.max(parent.at + 0.5, index * 2 - rng.next());
    const span = t.add(rng.pick(services), `settle batch ${index % 97}`, parent, at, rng.around(60 / open.length), {
      kind: 1 + rng.int(5),
      status: rng.next() < 0.002 ? { code: 2, message: "ledger mismatch" } : undefined,
      fields: { "batch.index": index, "batch.size": 1 + rng.int(500), "job.shard": `shard-${index % 16}` },
    });
    open.push(span);
  }
  return t.trace();
}

/** All traces, oldest first. `nowMs` is the end of the hour they lie in. */
export function shopTraces(seed, nowMs, count, largeCount) {
  const rng = random(seed);
  const traces = [];
  for (let i = 0; i < count; i++) {
    const startMs = nowMs - 3_600_000 + (i * 3_590_000) / count;
    const dice = rng.next();
    if (dice < 0.02) traces.push(checkout(rng, startMs, { failing: true }));
    else if (dice < 0.1) traces.push(checkout(rng, startMs, { slowFraud: true }));
    else if (dice < 0.4) traces.push(checkout(rng, startMs));
    else if (dice < 0.75) traces.push(browse(rng, startMs));
    else if (dice < 0.97) traces.push(quote(rng, startMs));
    else traces.push(broken(rng, startMs));
  }
  traces.push(nightly(rng, nowMs - 600_000, largeCount));
  traces.push(checkout(rng, nowMs - 40_000, { failing: true }));
  return traces.sort((a, b) => a.startMs - b.startMs);
}

/** `Map.groupBy`, which Node 20 does not have yet. */
function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

const nanos = (trace, ms) => `${BigInt(Math.round(trace.startMs)) * 1_000_000n + BigInt(Math.round(ms * MS))}`;

/** A trace as `GET /api/v1/traces/{id}` answers it. */
export function toOtlp(trace) {
  const byService = groupBy(trace.spans, (span) => span.service);
  return {
    resourceSpans: [...byService].map(([service, spans]) => ({
      resource: {
        attributes: attributes({
          "service.name": service,
          "service.version": "2.4.1",
          "service.instance.id": `${service}-7d9f`,
          "telemetry.sdk.language": LANGUAGES[service] ?? "go",
          "k8s.labels": { app: service, tier: "shop" },
        }),
      },
      scopeSpans: [
        {
          scope: { name: `io.opentelemetry.${LANGUAGES[service] ?? "go"}`, version: "1.31.0" },
          spans: spans.map((span) => ({
            traceId: trace.traceId,
            spanId: span.id,
            ...(span.parent && { parentSpanId: span.parent }),
            name: span.name,
            kind: span.kind,
            startTimeUnixNano: nanos(trace, span.at),
            endTimeUnixNano: nanos(trace, span.at + span.length),
            attributes: attributes(span.fields),
            ...(span.events.length && { events: span.events.map((e) => ({ name: e.name, timeUnixNano: nanos(trace, e.at), attributes: attributes(e.fields) })) }),
            ...(span.links.length && { links: span.links.map((l) => ({ traceId: l.trace, spanId: l.span })) }),
            ...(span.status && { status: span.status }),
          })),
        },
      ],
    })),
    missing: [],
  };
}

/** A trace as one row of `GET /api/v1/traces`. */
export function toSummary(trace) {
  const root = trace.spans.find((span) => span.parent === undefined);
  const start = Math.min(...trace.spans.slice(0, 10_000).map((span) => span.at));
  const end = trace.spans.reduce((most, span) => Math.max(most, span.at + span.length), 0);
  const isError = (span) => span.status?.code === 2;
  const services = [...groupBy(trace.spans, (span) => span.service)].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    traceId: trace.traceId,
    rootService: root?.service ?? "",
    rootName: root?.name ?? "",
    hasRoot: root !== undefined,
    startTimeUnixNano: nanos(trace, start),
    durationNanos: `${Math.round((end - start) * MS)}`,
    spanCount: trace.spans.length,
    errorCount: trace.spans.filter(isError).length,
    services: services.map(([name, spans]) => ({ name, spanCount: spans.length, errorCount: spans.filter(isError).length })),
    partial: root === undefined,
  };
}
