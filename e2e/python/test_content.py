"""What no SDK sends and OTLP allows: kept whole, in every encoding, from memory and from blocks."""

from collections.abc import Callable, Iterable

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from kit.made import NOON, deep_span, everything, raw_request, request, span, text, trace_id
from kit.senders import COMPRESSORS, grpc_export
from kit.server import NO_FLUSH, QUICK_FLUSH, Server
from kit.traces import READERS, check_answers, own_json, parsed, span_counts, spans_of, trace_ids, with_hex_ids


def accepted(answer):
    assert (answer.status, answer.body) == (200, b""), f"{answer.status} {answer.body!r}"


def odd_times() -> ExportTraceServiceRequest:
    last = 2**63 - 1
    return request(
        span(1, 1, start_time_unix_nano=1, end_time_unix_nano=2),
        Span(trace_id=trace_id(1), span_id=b"no times", name="1970"),
        span(1, 3, start_time_unix_nano=NOON, end_time_unix_nano=NOON - 5),
        span(1, 4, start_time_unix_nano=last, end_time_unix_nano=last),
        span(1, 5, start_time_unix_nano=1, end_time_unix_nano=last),
    )


def odd_parents() -> ExportTraceServiceRequest:
    """Two roots, an orphan, a span that is its own parent, and a circle."""
    return request(span(2, 1), span(2, 2), span(2, 3, parent=99), span(2, 4, parent=4), span(2, 5, parent=6), span(2, 6, parent=5))


def empty_names() -> ExportTraceServiceRequest:
    made = request(Span(trace_id=trace_id(3), span_id=b"nameless"), service="")
    made.resource_spans.add().scope_spans.add().spans.append(Span(trace_id=trace_id(3), span_id=b"resless!"))
    return made


def many_attributes() -> ExportTraceServiceRequest:
    made = span(4, 1)
    made.attributes.extend(text(f"key {number}", f"value {number % 7}") for number in range(10_000))
    return request(made)


def large_attribute() -> ExportTraceServiceRequest:
    return request(span(5, 1, attributes=[text("body", "x" * 1_000_000)]), span(5, 2, parent=1))


def huge_trace() -> ExportTraceServiceRequest:
    return request(*(span(6, number, parent=number // 3) for number in range(1, 100_001)))


def deep_value() -> ExportTraceServiceRequest:
    """As deep as is taken."""
    return ExportTraceServiceRequest.FromString(raw_request(deep_span(10, 1, levels=30)))


CASES: list[Callable[[], ExportTraceServiceRequest]] = [
    everything, odd_times, odd_parents, empty_names, many_attributes, large_attribute, deep_value,
]  # fmt: skip


@pytest.fixture(scope="module")
def server(module_servers):
    return module_servers(NO_FLUSH).start()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_it_comes_back_from_memory_and_from_blocks(server, case):
    body = case().SerializeToString()
    accepted(server.post(body))
    check_answers(server, parsed(body))
    server.restart()
    check_answers(server, parsed(body))


def sorted_spans(resource_spans: Iterable[ResourceSpans]) -> list[bytes]:
    """Compared as bytes: texts of so many spans would take half a minute."""
    return sorted(span.SerializeToString() for resource in resource_spans for span in resource.scope_spans[0].spans)


def test_a_trace_of_100_000_spans_is_whole(server):
    body = huge_trace().SerializeToString()
    accepted(server.post(body))
    sent = sorted_spans(ExportTraceServiceRequest.FromString(body).resource_spans)
    read = READERS["tempo_v1_protobuf"]
    assert sorted_spans(read(server, trace_id(6).hex())) == sent
    [listed] = [trace for trace in server.json("/api/v1/traces")["traces"] if trace["spanCount"] == 100_000]
    server.restart()
    assert sorted_spans(read(server, trace_id(6).hex())) == sent
    assert listed in server.json("/api/v1/traces")["traces"]


@pytest.mark.parametrize("encoding", COMPRESSORS)
@pytest.mark.parametrize("format", ["protobuf", "json"])
def test_every_encoding_is_understood(servers, encoding, format):
    server = servers(NO_FLUSH).start()
    made = everything()
    body = made.SerializeToString()
    if format == "protobuf":
        accepted(server.post(COMPRESSORS[encoding](body), content_encoding=encoding))
    else:
        json = json_format.MessageToDict(made, use_integers_for_enums=True)
        text = json_format.json.dumps(with_hex_ids(json)).encode()
        answer = server.post(COMPRESSORS[encoding](text), "application/json; charset=utf-8", content_encoding=encoding)
        assert (answer.status, answer.headers["content-type"], answer.text) == (200, "application/json", "{}")
    check_answers(server, parsed(body), ["tempo_v2_protobuf"])


@pytest.fixture
def doubled(servers):
    """A server that got each of three spans twice in a request, and again over the other protocol."""
    server = servers(NO_FLUSH).start()
    spans = [span(8, 1), span(8, 2, parent=1), span(8, 3, parent=1)]
    accepted(server.post(request(*spans, *spans).SerializeToString()))
    assert not grpc_export(server, request(*spans).SerializeToString()).HasField("partial_success")
    server.wait_for_law()
    return server, request(*spans).SerializeToString()


def test_a_span_sent_again_is_answered_once(doubled):
    """From memory, from a block, and when it is in a block already and comes again."""
    server, body = doubled
    check_answers(server, parsed(body))
    server.restart()
    check_answers(server, parsed(body))
    accepted(server.post(body))
    check_answers(server, parsed(body))
    server.wait_for_law()
    server.restart()
    check_answers(server, parsed(body))


def counts(server: Server) -> list[int]:
    return [trace["spanCount"] for trace in server.json("/api/v1/traces")["traces"]]


def test_a_span_sent_again_is_counted_once_in_the_list(doubled):
    server, _ = doubled
    assert counts(server) == [3]
    server.restart()
    assert counts(server) == [3]


def test_a_span_sent_again_after_its_flush_is_counted_once_in_the_list(doubled):
    server, body = doubled
    server.restart()
    accepted(server.post(body))
    assert counts(server) == [3]


def test_late_spans_join_their_trace(servers):
    """Pieces of a trace in three blocks and in memory are one answer, and one row of the list."""
    server = servers(QUICK_FLUSH | {"compaction.enabled": "false"}).start()
    pieces = [request(span(9, number, parent=1 if number > 1 else 0), service=f"service {number}") for number in (1, 2, 3)]
    for piece in pieces:
        accepted(server.post(piece.SerializeToString()))
        server.wait_until_stored()
    last = request(span(9, 4, parent=1), service="service 4")
    accepted(server.post(last.SerializeToString()))
    sent = parsed(b"".join(piece.SerializeToString() for piece in [*pieces, last]))
    check_answers(server, sent)
    [listed] = server.json("/api/v1/traces")["traces"]
    assert (listed["spanCount"], listed["rootName"], len(listed["services"])) == (4, "operation 1", 4)


def test_an_acknowledged_span_is_visible_at_once(servers):
    """By id with the next request; in the list within a second."""
    server = servers(NO_FLUSH).start()
    for number in range(50):
        accepted(server.post(request(span(1000 + number, 1)).SerializeToString()))
        assert span_counts(own_json(server, trace_id(1000 + number).hex())).total() == 1
    listed = {trace["traceId"] for trace in server.json("/api/v1/traces?limit=1000")["traces"]}
    assert listed == {trace_id(1000 + number).hex() for number in range(50)}


def test_ids_may_be_spelled_in_any_way(server):
    body = request(Span(trace_id=bytes(8) + b"\x0a" * 8, span_id=b"\x01" * 8, name="64 bit")).SerializeToString()
    accepted(server.post(body))
    sent = parsed(body)
    [plain] = trace_ids(sent)
    for spelled in (plain, plain.upper(), plain.lstrip("0"), f"0x{plain}", f"{plain[:8]}-{plain[8:12]}-{plain[12:]}"):
        assert spans_of(READERS["tempo_v1_protobuf"](server, spelled)) == sent


def test_an_unknown_trace_is_said_to_be_unknown(server):
    unknown = "00000000000000000000000000000bad"
    assert (server.get(f"/api/traces/{unknown}").status, server.get(f"/api/v1/traces/{unknown}").status) == (404, 404)
    # As Tempo answers.
    empty = server.get(f"/api/v2/traces/{unknown}")
    assert (empty.status, empty.json()) == (200, {"trace": {}, "metrics": {}})
    for path in ("/api/traces/xyz", "/api/v2/traces/xyz", "/api/v1/traces/" + "1" * 33):
        answer = server.get(path)
        assert answer.status == 400 and "is not a trace id" in answer.text, answer
