"""Requests of our own making, down to the fields that no SDK sets."""

import random

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span, Status

#: 2026-11-21T12:00:00Z, in nanoseconds since 1970.
NOON = 1_795_262_400_000_000_000
MILLISECOND = 1_000_000


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def trace_id(number: int) -> bytes:
    """An id that looks random, as ids are, and is the same each time."""
    return random.Random(number).randbytes(16)


def span(trace: int, number: int, parent: int = 0, **fields) -> Span:
    """A span of 10 ms; span 1 is the root unless told otherwise."""
    made = Span(
        trace_id=trace_id(trace),
        span_id=number.to_bytes(8),
        parent_span_id=parent.to_bytes(8) if parent else b"",
        name=f"operation {number}",
        start_time_unix_nano=NOON + number * MILLISECOND,
        end_time_unix_nano=NOON + (number + 10) * MILLISECOND,
    )
    made.MergeFrom(Span(**fields))
    return made


def request(*spans: Span, service: str = "made") -> ExportTraceServiceRequest:
    made = ExportTraceServiceRequest()
    add_resource(made, service).spans.extend(spans)
    return made


def add_resource(made: ExportTraceServiceRequest, service: str) -> ScopeSpans:
    """Adds a resource with one scope, and returns the latter."""
    resource = made.resource_spans.add()
    resource.resource.attributes.append(text("service.name", service))
    return resource.scope_spans.add()


def raw_request(*spans: Span | bytes, service: str = "made") -> bytes:
    """A request of spans that may be encoded already, by hand, in ways that protobuf's library refuses to encode."""
    encoded = [span if isinstance(span, bytes) else span.SerializeToString() for span in spans]
    attribute = text("service.name", service).SerializeToString()
    scope_spans = b"".join(field(2, span) for span in encoded)
    return field(1, field(1, field(1, attribute)) + field(2, scope_spans))


def field(number: int, payload: bytes) -> bytes:
    """A protobuf field of bytes or of a message."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def deep_span(trace: int, number: int, levels: int) -> bytes:
    """A span with an attribute of arrays in arrays."""
    value = field(1, b"at last")
    for _ in range(levels):
        value = field(5, field(1, value))
    attribute = field(1, b"deep") + field(2, value)
    return span(trace, number).SerializeToString() + field(9, attribute)


def everything() -> ExportTraceServiceRequest:
    """Two resources with two scopes each, in which every field of OTLP is set."""
    made = ExportTraceServiceRequest()
    for r in (1, 2):
        resource = made.resource_spans.add(schema_url=f"https://example.com/resource/{r}")
        resource.resource.attributes.extend([text("service.name", f"service {r}"), text("host", "h")])
        resource.resource.dropped_attributes_count = r
        for s in (1, 2):
            scope = resource.scope_spans.add(schema_url=f"https://example.com/scope/{s}")
            scope.scope.name, scope.scope.version = f"scope {s}", f"{s}.0"
            scope.scope.attributes.append(text("from", "scope"))
            scope.scope.dropped_attributes_count = 10 + s
            scope.spans.append(full_span(100 * r + 10 * s))
    return made


def full_span(number: int) -> Span:
    made = span(
        7,
        number,
        parent=number - 1,
        trace_state="vendor=1,other=2",
        flags=0x301,
        kind=Span.SPAN_KIND_SERVER,
        dropped_attributes_count=3,
        dropped_events_count=4,
        dropped_links_count=5,
        status=Status(code=Status.STATUS_CODE_ERROR, message="why"),
    )
    made.attributes.extend([text("same", "first"), text("same", "second"), text("", "no key")])
    made.attributes.add(key="no value")
    made.events.add(time_unix_nano=NOON + 1, name="event", dropped_attributes_count=6).attributes.append(text("e", "1"))
    made.events.add()
    link = made.links.add(trace_id=b"\xff" * 16, span_id=b"\xfe" * 8, trace_state="l=1", flags=0x100, dropped_attributes_count=7)
    link.attributes.append(text("l", "1"))
    return made
