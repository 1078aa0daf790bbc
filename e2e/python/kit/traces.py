"""Traces as they were sent and as they are answered, in one form that can be compared and read in a diff.

A span becomes a text: its resource, its scope and itself in protobuf's text format. Two spellings that OTLP takes for the
same are made one: an absent status or value equals an empty one, and a span's attributes, which have columns of their own
in a block, are sorted by key. (Those of resources, scopes, events and links keep their order, and are compared with it.)
"""

import base64
import difflib
from collections import Counter
from collections.abc import Callable, Iterable

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, text_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

from kit.server import Answer, Server

#: (trace id, span id), both in hex.
SpanKey = tuple[str, str]
#: Every span with all that belongs to it, as text.
Spans = dict[SpanKey, str]

ID_FIELDS = ("traceId", "spanId", "parentSpanId")


def spans_of(resource_spans: Iterable[ResourceSpans]) -> Spans:
    """The spans of a request or an answer. One that occurs twice is an error."""
    found: Spans = {}
    for resource in resource_spans:
        head = f"resource {{\n{as_text(resource.resource)}}}\nschema_url: {resource.schema_url!r}\n"
        for scope in resource.scope_spans:
            scoped = f"{head}scope {{\n{as_text(scope.scope)}}}\nscope_schema_url: {scope.schema_url!r}\n"
            for span in scope.spans:
                key = (span.trace_id.hex(), span.span_id.hex())
                assert key not in found, f"span {key} occurs twice"
                found[key] = scoped + "span {\n" + span_text(span) + "}\n"
    return found


def as_text(message) -> str:
    return text_format.MessageToString(message)


def span_text(span: Span) -> str:
    if not span.status.ByteSize():
        span.ClearField("status")
    for attribute in span.attributes:
        attribute.value.SetInParent()
    span.attributes.sort(key=lambda attribute: attribute.key)
    return as_text(span)


def of_trace(spans: Spans, trace_id: str) -> Spans:
    return {key: text for key, text in spans.items() if key[0] == trace_id}


def trace_ids(spans: Spans) -> list[str]:
    return sorted({trace_id for trace_id, _ in spans})


def span_counts(resource_spans: Iterable[ResourceSpans]) -> Counter[str]:
    """How often each span id occurs."""
    return Counter(span.span_id.hex() for resource in resource_spans for scope in resource.scope_spans for span in scope.spans)


# The ways in which a trace can be asked for. Each gives what was answered as OTLP messages.


def tempo_v1_json(server: Server, trace_id: str) -> list[ResourceSpans]:
    answer = found(server.get(f"/api/traces/{trace_id}"), "application/json").json()
    assert answer.keys() == {"batches"}
    return list(json_format.ParseDict({"resourceSpans": answer["batches"]}, TracesData()).resource_spans)


def tempo_v1_protobuf(server: Server, trace_id: str) -> list[ResourceSpans]:
    answer = found(server.get(f"/api/traces/{trace_id}", accept="application/protobuf"), "application/protobuf")
    return list(TracesData.FromString(answer.body).resource_spans)


def tempo_v2_json(server: Server, trace_id: str) -> list[ResourceSpans]:
    answer = found(server.get(f"/api/v2/traces/{trace_id}"), "application/json").json()
    assert answer.keys() == {"trace", "metrics"}, "neither partial nor with a message"
    return list(json_format.ParseDict(answer["trace"], TracesData()).resource_spans)


def tempo_v2_protobuf(server: Server, trace_id: str) -> list[ResourceSpans]:
    answer = found(server.get(f"/api/v2/traces/{trace_id}", accept="application/protobuf"), "application/protobuf")
    response = TraceByIdResponse.FromString(answer.body)
    assert response.HasField("trace") and response.HasField("metrics")
    assert (response.status, response.message) == (0, ""), "neither partial nor with a message"
    return list(response.trace.resource_spans)


def own_json(server: Server, trace_id: str) -> list[ResourceSpans]:
    answer = found(server.get(f"/api/v1/traces/{trace_id}"), "application/json").json()
    assert answer.pop("missing") == []
    return list(json_format.ParseDict(with_base64_ids(answer), TracesData()).resource_spans)


READERS = {reader.__name__: reader for reader in (tempo_v1_json, tempo_v1_protobuf, tempo_v2_json, tempo_v2_protobuf, own_json)}


def found(answer: Answer, content_type: str) -> Answer:
    assert answer.status == 200, f"{answer.status} {answer.text}"
    assert answer.headers["content-type"] == content_type
    return answer


def with_base64_ids(json):
    """From OTLP/JSON, which has ids in hex, to proto3 JSON, which has base64."""
    return with_ids(json, lambda id: base64.b64encode(bytes.fromhex(id)).decode())


def with_hex_ids(json):
    """The other way round."""
    return with_ids(json, lambda id: base64.b64decode(id).hex())


def with_ids(json, convert: Callable[[str], str]):
    if isinstance(json, list):
        return [with_ids(item, convert) for item in json]
    if not isinstance(json, dict):
        return json
    return {name: convert(value) if name in ID_FIELDS else with_ids(value, convert) for name, value in json.items()}


def tempo_response_type():
    """`TraceByIDResponse` of Tempo; its `Trace` is on the wire what OTLP calls `TracesData`."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="e2e/tempo.proto", package="e2e", syntax="proto3", dependency=["opentelemetry/proto/trace/v1/trace.proto"]
    )
    file.message_type.add(name="Metrics")
    response = file.message_type.add(name="TraceByIDResponse")
    for number, (name, kind, type_name) in enumerate(
        [
            ("trace", field.TYPE_MESSAGE, ".opentelemetry.proto.trace.v1.TracesData"),
            ("metrics", field.TYPE_MESSAGE, ".e2e.Metrics"),
            ("status", field.TYPE_INT32, None),
            ("message", field.TYPE_STRING, None),
        ],
        start=1,
    ):
        response.field.add(name=name, number=number, type=kind, type_name=type_name, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("e2e.TraceByIDResponse"))


TraceByIdResponse = tempo_response_type()


def check_answers(server: Server, sent: Spans, reader_names: Iterable[str] = READERS):
    """Every trace, asked for in every way, is what was sent: no span less, no span twice, nothing of a span changed."""
    for trace_id in trace_ids(sent):
        expected = of_trace(sent, trace_id)
        for name in reader_names:
            check_equal(spans_of(READERS[name](server, trace_id)), expected, f"{name} of {trace_id}")


def check_equal(answered: Spans, expected: Spans, what: str):
    assert answered.keys() == expected.keys(), what
    for key, text in expected.items():
        if answered[key] == text:
            continue
        lines = difflib.unified_diff(text.splitlines(), answered[key].splitlines(), "sent", "answered", lineterm="")
        difference = "\n".join(line[:200] for line in lines)
        raise AssertionError(f"{what}, span {key[1]}:\n{difference}")


def parsed(body: bytes) -> Spans:
    """The spans of a request body."""
    return spans_of(ExportTraceServiceRequest.FromString(body).resource_spans)
