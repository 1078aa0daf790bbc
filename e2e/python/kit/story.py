"""Spans as an instrumented application makes them, through the real SDK, with everything that a span can have."""

import math

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from kit.traces import Spans, spans_of

#: A value of every type that an attribute may have, and those at which encodings break.
ATTRIBUTES = {
    "text": "payment declined",
    "text.empty": "",
    "text.unicode": 'Zürich 東京 🛒 \u0000 "quoted" \\ \n',
    "text.long": "0123456789" * 2_000,
    "bool.true": True,
    "bool.false": False,
    "int": 42,
    "int.zero": 0,
    "int.min": -(1 << 63),
    "int.max": (1 << 63) - 1,
    "double": 0.1,
    "double.whole": 3.0,
    "double.zero": 0.0,
    "double.minus_zero": -0.0,
    "double.tiny": 5e-324,
    "double.huge": 1.7976931348623157e308,
    "double.nan": math.nan,
    "double.infinite": -math.inf,
    "bytes": bytes(range(256)),
    "bytes.empty": b"",
    "nothing": None,
    "texts": ["a", "", "c"],
    "ints": [1, -2, 1 << 40],
    "doubles": [1.5, -0.0],
    "bools": [True, False],
    "list.empty": [],
    "mixed": [1, "a", None, [b"x", {"deep": [True]}]],
    "map": {"a": 1, "b": {"c": "d"}, "e": []},
    "map.empty": {},
}

RESOURCE = {
    "service.version": "1.4.2",
    "service.instance.id": "cart-7f9c",
    "deployment.environment.name": "staging",
    "process.pid": 4711,
    "process.command_args": ["python", "-m", "cart"],
}

#: Spans that `tell` makes.
SPANS = 8
#: Those with an error.
ERRORS = 2


def tell(exporter: SpanExporter, service: str) -> tuple[Spans, list[ReadableSpan]]:
    """One trace of a service, sent when this returns. Returns what was handed to the exporter, and the spans themselves."""
    resource = Resource(RESOURCE | {"service.name": service}, "https://opentelemetry.io/schemas/1.38.0")
    # Small limits, so that there are dropped counts.
    provider = TracerProvider(resource=resource, span_limits=SpanLimits(max_events=4, max_links=3, max_span_attributes=64))
    kept = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    web = provider.get_tracer("http.server", "2.0.1", "https://opentelemetry.io/schemas/1.37.0", {"library.mode": "async"})
    database = provider.get_tracer("postgres")
    with web.start_as_current_span("GET /cart", kind=SpanKind.SERVER, attributes=ATTRIBUTES) as server:
        server.set_status(Status(StatusCode.OK))
        for kind in (SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER):
            with database.start_as_current_span(f"{kind.name.lower()} work", kind=kind, attributes={"kind": kind.name}):
                pass
        fails(database)
        links(web)
    assert provider.force_flush(), "the exporter has failed"
    provider.shutdown()
    spans = kept.get_finished_spans()
    assert len(spans) == SPANS
    return spans_of(encode_spans(spans).resource_spans), list(spans)


def fails(tracer: trace.Tracer):
    """A span with an exception, one with an error and words, and one with more events than are kept."""
    try:
        with tracer.start_as_current_span("SELECT carts"):
            raise TimeoutError("no answer from cart-db-3 within 3 s")
    except TimeoutError:
        pass
    with tracer.start_as_current_span("retries", attributes={"attempts": 10}) as span:
        for attempt in range(6):
            span.add_event(
                "retry", {"attempt": attempt, "reason": "deadline", "delays": [0.1, 0.2]}, timestamp=1_795_000_000_000_000_001 + attempt
            )
        span.set_status(Status(StatusCode.ERROR, "gave up after 10 attempts: Zeitüberschreitung"))


def links(tracer: trace.Tracer):
    """A span with links to other traces; its parent came from another process, with trace state."""
    remote = lambda number, state: SpanContext(
        trace_id=(0xABC << 112) + number,
        span_id=(0xDEF << 48) + number,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=TraceState(state),
    )
    others = [Link(remote(number, [("other", str(number))]), {"messaging.position": number}) for number in range(5)]
    current = trace.get_current_span().get_span_context()
    parent = SpanContext(
        current.trace_id,
        current.span_id,
        is_remote=True,
        trace_flags=current.trace_flags,
        trace_state=TraceState([("vendor", "t61rcWkgMzE"), ("rojo", "00f067aa0ba902b7")]),
    )
    context = trace.set_span_in_context(NonRecordingSpan(parent))
    tracer.start_span("process orders", context=context, kind=SpanKind.CONSUMER, links=others).end()
