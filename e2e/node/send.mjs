/**
 * Sends one trace through the OpenTelemetry SDK for Node and prints, as JSON, the spans that the SDK held.
 *
 *     node send.mjs proto|json|grpc none|gzip URL SERVICE
 *
 * What is printed comes from the SDK's span objects, not from what the exporter made of them, so that the reader checks the
 * exporter and the server together. Times are decimal strings of nanoseconds.
 */
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, createTraceState } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

const [protocol, compression, url, service] = process.argv.slice(2);
const Exporter = { proto: ProtoExporter, json: JsonExporter, grpc: GrpcExporter }[protocol];
const exporter = new Exporter({ url, compression });

const kept = new InMemorySpanExporter();
const resource = resourceFromAttributes({ "service.name": service, "process.pid": 4711, "process.command_args": ["node", "shop.mjs"] });
const provider = new NodeTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(kept), new BatchSpanProcessor(exporter)] });
provider.register();

const tracer = provider.getTracer("shop-web", "3.1.0", { schemaUrl: "https://opentelemetry.io/schemas/1.38.0" });

const attributes = {
  text: "Zürich 東京 🛒",
  empty: "",
  yes: true,
  no: false,
  zero: 0,
  int: -42,
  "int.safe": Number.MAX_SAFE_INTEGER,
  double: 0.1,
  texts: ["a", "", "c"],
  ints: [1, -2, 3],
  doubles: [0.5, -1.5],
  bools: [true, false],
};

tracer.startActiveSpan("GET /cart", { kind: SpanKind.SERVER, attributes }, (server) => {
  for (const kind of [SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER]) {
    tracer.startSpan(`${SpanKind[kind].toLowerCase()} work`, { kind }).end();
  }
  const failing = tracer.startSpan("SELECT carts", { kind: SpanKind.CLIENT });
  failing.recordException(new TypeError("carts is not iterable"));
  failing.setStatus({ code: SpanStatusCode.ERROR, message: "carts is not iterable" });
  failing.addEvent("retry", { attempt: 1, delays: [0.1, 0.2] });
  failing.end();
  const remote = (n) => ({
    traceId: n.toString(16).padStart(32, "a"),
    spanId: n.toString(16).padStart(16, "b"),
    traceFlags: 1,
    isRemote: true,
    traceState: createTraceState(`other=${n}`),
  });
  const parent = { ...server.spanContext(), isRemote: true, traceState: createTraceState("vendor=t61rcWkgMzE,rojo=00f067aa0ba902b7") };
  const links = [1, 2].map((n) => ({ context: remote(n), attributes: { position: n } }));
  tracer.startSpan("process orders", { kind: SpanKind.CONSUMER, links }, trace.setSpanContext(ROOT_CONTEXT, parent)).end();
  server.setStatus({ code: SpanStatusCode.OK });
  server.end();
});

await provider.forceFlush();
console.log(JSON.stringify(kept.getFinishedSpans().map(told)));
await provider.shutdown();
context.disable();

function nanos([seconds, nanoseconds]) {
  return (BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)).toString();
}

function told(span) {
  const { traceId, spanId, traceState } = span.spanContext();
  return {
    traceId,
    spanId,
    traceState: traceState?.serialize() ?? "",
    parentSpanId: span.parentSpanContext?.spanId ?? "",
    name: span.name,
    kind: span.kind,
    start: nanos(span.startTime),
    end: nanos(span.endTime),
    attributes: span.attributes,
    resource: span.resource.attributes,
    scope: [span.instrumentationScope.name, span.instrumentationScope.version, span.instrumentationScope.schemaUrl],
    status: [span.status.code, span.status.message ?? ""],
    events: span.events.map(({ time, name, attributes }) => [nanos(time), name, attributes ?? {}]),
    links: span.links.map(({ context: c, attributes }) => [c.traceId, c.spanId, c.traceState?.serialize() ?? "", attributes ?? {}]),
  };
}
