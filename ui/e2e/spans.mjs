/** Spans as senders send them, in OTLP/JSON: one by itself, and a trace of 50,000. */

/** As many as the page is to show within a second. */
const SPANS = 50_000;
const SPANS_OF_REQUEST = 2_500;
const SERVICES = ["gateway", "checkout", "inventory", "ledger", "pricing"];

/** Longer than any number of spans at a millisecond each that anybody sends. */
const LONGEST_NS = 110_000_000_000n;
const hex = (number, digits) => number.toString(16).padStart(digits, "0");

const newTraceId = () => hex(Date.now(), 16) + hex(Math.floor(Math.random() * 2 ** 32), 16);

/** Sends a trace of so many spans to the OTLP endpoint at `endpoint`, and returns its id. */
export async function sendLargeTrace(endpoint, spans = SPANS) {
  const { traceId, requests } = largeTrace(spans);
  for (const request of requests) await send(endpoint, request);
  return { traceId, spans };
}

/** The requests that a trace of so many spans is sent in. */
export function largeTrace(spans = SPANS) {
  const traceId = newTraceId();
  const start = BigInt(Date.now() - 120_000) * 1_000_000n;
  const requests = Array.from({ length: Math.ceil(spans / SPANS_OF_REQUEST) }, (_, request) => {
    const from = request * SPANS_OF_REQUEST;
    const numbers = Array.from({ length: Math.min(SPANS_OF_REQUEST, spans - from) }, (_, i) => from + i);
    return JSON.stringify({ resourceSpans: SERVICES.map((service, i) => resourceSpans(service, numbers.filter((n) => n % SERVICES.length === i), traceId, start)) });
  });
  return { traceId, spans, requests };
}

/** Sends a root span with this name to the endpoint of the environment. */
export async function sendSpan(name, start = BigInt(Date.now()) * 1_000_000n) {
  const span = { traceId: newTraceId(), spanId: hex(1, 16), name, kind: 2, startTimeUnixNano: `${start}`, endTimeUnixNano: `${start + 1_000_000n}` };
  const body = JSON.stringify({ resourceSpans: [{ resource: { attributes: [text("service.name", "live")] }, scopeSpans: [{ spans: [span] }] }] });
  await send(endpointOfEnvironment(), body);
}

/** Where spans are sent to. */
export function endpointOfEnvironment() {
  const endpoint = process.env.OTLP_URL;
  if (!endpoint) throw new Error("set OTLP_URL to the endpoint for spans, such as http://127.0.0.1:4318");
  return endpoint;
}

async function send(endpoint, body) {
  const response = await fetch(`${endpoint}/v1/traces`, { method: "POST", headers: { "content-type": "application/json" }, body });
  if (!response.ok) throw new Error(`the server refused a request: ${response.status} ${await response.text()}`);
}

function resourceSpans(service, numbers, traceId, start) {
  const spans = numbers.map((number) => spanOf(number, traceId, start));
  return { resource: { attributes: [text("service.name", service)] }, scopeSpans: [{ scope: { name: "large" }, spans }] };
}

/** Span 0 is the root; below it are batches of twenty calls, each of which has four of its own. */
function spanOf(number, traceId, start) {
  const parent = number === 0 ? "" : hex(number <= 500 ? 1 : number <= 10_500 ? 2 + ((number - 501) % 500) : 502 + ((number - 10_501) % 10_000), 16);
  const begin = start + BigInt(number) * 1_000_000n;
  return {
    traceId,
    spanId: hex(number + 1, 16),
    parentSpanId: parent,
    name: number === 0 ? "nightly ledger" : `step ${number % 40}`,
    kind: number === 0 ? 2 : number % 3 === 0 ? 3 : 1,
    startTimeUnixNano: `${begin}`,
    endTimeUnixNano: `${number === 0 ? start + LONGEST_NS : begin + 700_000n}`,
    status: number % 1_000 === 999 ? { code: 2, message: "shard is read-only" } : {},
    attributes: [text("ledger.shard", `shard-${number % 16}`), text("db.query.text", `UPDATE balances SET amount = amount + $1 WHERE account = $2 -- ${number}`), { key: "rows", value: { intValue: `${number}` } }],
  };
}

const text = (key, value) => ({ key, value: { stringValue: value } });
