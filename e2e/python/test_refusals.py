"""What bad requests get: the status of the protocol's table, a `google.rpc.Status` that names the place, nothing disturbed.

Bodies are compared whole, since clients log them and people search for them.
"""

import itertools
import json
import socket
from collections.abc import Callable

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from kit.made import NOON, deep_span, raw_request, request, span, text, trace_id
from kit.senders import COMPRESSORS, grpc_export, grpc_method
from kit.server import NO_FLUSH, Answer, Server, ask
from kit.traces import check_answers, parsed
from kit.wait import eventually

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
#: Small, so that what is too large is quickly made.
BODY_MAX = 1 << 20
SETTINGS = NO_FLUSH | {
    "receive.body_max": f"{BODY_MAX}B",
    "receive.span_max": "100KiB",
    "receive.cors_origins": "https://*.example.com",
    "receive.cors_max_age": "10m",
    "receive.body_timeout": "1s",
}
GOOD = request(span(1, 1)).SerializeToString()


@pytest.fixture(scope="module")
def server(module_servers) -> Server:
    return module_servers(SETTINGS).start()


@pytest.fixture(autouse=True)
def nothing_is_disturbed(server):
    """After whatever a test did, spans are taken, the law holds, and memory is bounded."""
    yield
    answer = server.post(GOOD)
    assert (answer.status, answer.body) == (200, b"")
    check_answers(server, parsed(GOOD), ["own_json"])
    server.wait_for_law()
    assert server.peak_memory_bytes() < 150 << 20


def check_refused(answer: Answer, status: int, code: grpc.StatusCode, message: str, content_type: str = PROTOBUF):
    assert answer.headers["content-type"] == content_type
    number = code.value[0]
    if content_type == JSON:
        said = (answer.status, answer.json())
        assert said == (status, {"code": number, "message": message})
    else:
        said = (answer.status, Status.FromString(answer.body))
        assert said == (status, Status(code=number, message=message))
    assert "retry-after" not in answer.headers, "sending it again cannot help"


INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
UNIMPLEMENTED = grpc.StatusCode.UNIMPLEMENTED
INTERNAL = grpc.StatusCode.INTERNAL

BROKEN = {
    "cut off": GOOD[:-5],
    "length beyond the end": b"\x0a\xff\x01",
    "wrong wire type": b"\x08\x01",
    "not protobuf": b"nonsense",
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_protobuf_is_refused_with_its_place(server, case):
    answer = server.post(BROKEN[case])
    refusal = Status.FromString(answer.body)
    check_refused(answer, 400, INVALID, refusal.message)
    assert refusal.message.startswith("broken protobuf at byte "), refusal.message
    assert grpc_error(server, BROKEN[case]) == (INVALID, refusal.message, None), "the same over gRPC"


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "deflate"])
def test_what_does_not_inflate_is_refused(server, encoding):
    compressed = COMPRESSORS[encoding](GOOD * 50)
    for body in (b"nothing of the kind", compressed[: len(compressed) // 2]):
        answer = server.post(body, content_encoding=encoding)
        assert (answer.status, Status.FromString(answer.body).code) == (400, INVALID.value[0]), answer
        assert Status.FromString(answer.body).message


@pytest.mark.parametrize(
    "body", ["", "nonsense", "[]", '{"resourceSpans":[}', '{"resourceSpans":' + "[" * 10_000, '{"resourceSpans":{}}'],
    ids=["empty", "word", "array", "broken", "deep", "object"],
)  # fmt: skip
def test_broken_json_is_refused_in_json(server, body):
    answer = server.post(body.encode(), JSON)
    assert (answer.status, answer.headers["content-type"]) == (400, JSON)
    refusal = answer.json()
    assert refusal.keys() == {"code", "message"} and refusal["code"] == INVALID.value[0] and refusal["message"], refusal


def test_ids_in_base64_are_rejected_not_misread(server):
    body = {
        "resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "AAAAAAAAAAAAAAAAAAAAAQ==", "spanId": "AAAAAAAAAAE=", "name": "n"}]}]}]
    }
    answer = server.post(json.dumps(body).encode(), JSON)
    refused = answer.status == 400 or answer.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert refused, answer


def test_the_largest_request_is_taken_and_one_byte_more_is_not(server):
    filler = request(span(2, 1))
    attribute = text("filler", "")
    spans = filler.resource_spans[0].scope_spans[0].spans
    for number in range(2, 13):
        spans.append(span(2, number, parent=1, attributes=[text("filler", "x" * 90_000)]))
    spans[0].attributes.append(attribute)
    spans[0].attributes[0].value.string_value = "x" * 50_000
    missing = BODY_MAX - filler.ByteSize()
    spans[0].attributes[0].value.string_value = "x" * (50_000 + missing)
    body = filler.SerializeToString()
    assert len(body) == BODY_MAX
    assert server.post(body).status == 200
    check_answers(server, parsed(body), ["tempo_v1_protobuf"])
    assert not grpc_export(server, body).HasField("partial_success")
    larger = request(*spans, service="made!").SerializeToString()
    assert len(larger) == BODY_MAX + 1
    words = f"the request is larger than the limit of {BODY_MAX} bytes"
    check_refused(server.post(larger), 413, EXHAUSTED, words)
    assert grpc_error(server, larger) == (EXHAUSTED, words, None), "without RetryInfo: nobody tries again"


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "deflate"])
def test_a_bomb_is_refused_where_it_passes_the_limit(server, encoding):
    bomb = COMPRESSORS[encoding](bytes(128 << 20))
    assert len(bomb) < BODY_MAX
    words = f"the request is larger than the limit of {BODY_MAX} bytes after decompression"
    check_refused(server.post(bomb, content_encoding=encoding), 413, EXHAUSTED, words)
    check_refused(server.post(bomb, JSON, content_encoding=encoding), 413, EXHAUSTED, words, JSON)


def test_a_bomb_is_refused_over_grpc(server):
    with grpc_method(server, compression=grpc.Compression.Gzip) as call, pytest.raises(grpc.RpcError) as error:
        call(bytes(64 << 20))
    words = f"the request is larger than the limit of {BODY_MAX} bytes after decompression"
    assert (error.value.code(), error.value.details()) == (EXHAUSTED, words)


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("text/plain", "content type `text/plain`"),
        ("application/protobuf", "content type `application/protobuf`"),
        (None, "no content type"),
    ],
)
def test_an_unknown_content_type_is_refused(server, content_type, found):
    headers = {"content-type": content_type} if content_type else {}
    answer = ask(server.otlp_http, "POST", "/v1/traces", headers, GOOD)
    check_refused(answer, 415, INVALID, f"{found}; send application/x-protobuf or application/json", JSON)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip"])
def test_an_unknown_content_encoding_is_refused(server, encoding):
    answer = server.post(GOOD, content_encoding=encoding)
    check_refused(answer, 415, INVALID, f"content encoding `{encoding}`; send one of gzip, zstd, deflate, identity")
    assert answer.headers["accept-encoding"] == "gzip, zstd, deflate, identity"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_another_method_is_refused(server, method):
    answer = ask(server.otlp_http, method, "/v1/traces")
    assert answer.headers["allow"] == "POST"
    if method == "HEAD":
        assert (answer.status, answer.body) == (405, b"")
    else:
        check_refused(answer, 405, UNIMPLEMENTED, f"{method} is not for this path; spans are sent with POST", JSON)


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/traces/", "/"])
def test_another_path_is_refused(server, path):
    answer = ask(server.otlp_http, "POST", path, {"content-type": PROTOBUF}, GOOD)
    check_refused(answer, 404, UNIMPLEMENTED, f"nothing is served at `{path}`; traces are taken at /v1/traces")


def test_an_empty_request_is_a_success(server):
    assert (server.post(b"").status, server.post(b"{}", JSON).text) == (200, "{}")
    assert grpc_export(server, b"") == ExportTraceServiceResponse()


# Bad spans among good ones.


def with_bad_text() -> bytes:
    """protobuf's own library writes no invalid UTF-8, so a good name is spoiled."""
    return request(span(3, 9, name="~spoil me~")).SerializeToString().replace(b"~spoil me~", b"\xff\xfe\xfd is bad")


BAD_SPANS = {
    "zero trace id": (Span(trace_id=bytes(16), span_id=b"\x01" * 8), "invalid_trace_id", "trace_id must be 16 bytes and not all zeros"),
    "short trace id": (Span(trace_id=b"\x01" * 8, span_id=b"\x01" * 8), "invalid_trace_id", "trace_id must be 16 bytes and not all zeros"),
    "no trace id": (Span(span_id=b"\x01" * 8), "invalid_trace_id", "trace_id must be 16 bytes and not all zeros"),
    "zero span id": (Span(trace_id=trace_id(3), span_id=bytes(8)), "invalid_span_id", "span_id must be 8 bytes"),
    "long span id": (Span(trace_id=trace_id(3), span_id=b"\x01" * 9), "invalid_span_id", "span_id must be 8 bytes"),
    "short parent id": (Span(trace_id=trace_id(3), span_id=b"\x01" * 8, parent_span_id=b"\x01"), "invalid_span_id", "parent_span_id"),
    "year 2300": (span(3, 9, end_time_unix_nano=1 << 63), "timestamp_out_of_range", "a timestamp lies after 2262-04-11T23:47:16Z"),
    "deep value": (deep_span(3, 9, levels=70), "nested_too_deep", "an attribute value is nested too deeply"),
    "large span": (span(3, 9, attributes=[text("a", "x" * 200_000)]), "span_too_large", "the span is larger than the limit for one span"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_SPANS)
def test_a_bad_span_is_rejected_and_its_neighbours_are_kept(server, case):
    bad, reason, words = BAD_SPANS[case]
    number = 100 + list(BAD_SPANS).index(case)
    good = request(span(number, 1), span(number, 2, parent=1))
    body = raw_request(span(number, 1), bad, span(number, 2, parent=1))
    before = server.wait_for_law().rejected
    answer = server.post(body)
    assert answer.status == 200
    partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert partial.rejected_spans == 1
    assert "resource_spans[0].scope_spans[0].spans[1]" in partial.error_message and words in partial.error_message
    assert grpc_export(server, body).partial_success == partial, "the same over gRPC"
    assert server.wait_for_law().rejected == before | {reason: before[reason] + 2}
    check_answers(server, parsed(good.SerializeToString()), ["own_json"])


def test_text_that_is_not_utf8_is_rejected(server):
    before = server.wait_for_law().rejected
    answer = server.post(with_bad_text())
    partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, partial.rejected_spans) == (200, 1)
    assert "a string is not valid UTF-8" in partial.error_message
    assert server.wait_for_law().rejected == before | {"invalid_utf8": before["invalid_utf8"] + 1}


def test_partial_success_in_json(server):
    spans = [
        {"traceId": "0" * 32, "spanId": "1" * 16},
        {"traceId": "a" * 32, "spanId": "0" * 16},
        {"traceId": "a" * 32, "spanId": "b" * 16, "startTimeUnixNano": str(NOON)},
    ]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
    answer = server.post(body, JSON)
    assert (answer.status, answer.headers["content-type"]) == (200, JSON)
    partial = answer.json().pop("partialSuccess")
    assert partial["rejectedSpans"] == "2" and "resource_spans[0].scope_spans[0].spans[0]" in partial["errorMessage"]


# gRPC.


def grpc_error(server: Server, body: bytes, path: str | None = None) -> tuple[grpc.StatusCode, str, RetryInfo | None]:
    """How a call fails: code, words, and the delay if one is given."""
    with grpc_method(server, *([path] if path else [])) as call, pytest.raises(grpc.RpcError) as failed:
        call(body)
    return explained(failed.value)


def explained(error: grpc.RpcError) -> tuple[grpc.StatusCode, str, RetryInfo | None]:
    details = {name: value for name, value in error.trailing_metadata() if name == "grpc-status-details-bin"}
    if not details:
        return error.code(), error.details(), None
    status = Status.FromString(details["grpc-status-details-bin"])
    assert (status.code, status.message) == (error.code().value[0], error.details())
    [detail] = status.details
    delay = RetryInfo()
    assert detail.Unpack(delay)
    return error.code(), error.details(), delay


def test_another_grpc_method_is_unimplemented(server):
    path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    assert grpc_error(server, b"", path) == (UNIMPLEMENTED, f"method {path} is not offered", None)


# Slow and rude clients.


def test_a_body_that_stalls_is_given_up(server):
    host, port = server.otlp_http.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as stream:
        stream.sendall(b"POST /v1/traces HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/x-protobuf\r\ncontent-length: 100\r\n\r\nhalf")
        answer = b"".join(iter(lambda: stream.recv(65536), b""))
    # Not 408: a sender of OTLP would drop the spans.
    assert answer.startswith(b"HTTP/1.1 503 ") and b"the body did not arrive within 1s" in answer
    assert b"\r\nretry-after: " in answer.lower()


def test_chunked_bodies_without_a_length_are_bounded_too(server):
    piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    host, port = server.otlp_http.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as stream:
        stream.sendall(
            b"POST /v1/traces HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/x-protobuf\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        )
        for _ in range(18):
            stream.sendall(piece)
        stream.sendall(b"0\r\n\r\n")
        answer = b"".join(iter(lambda: stream.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")


# Browsers.


def preflight(server: Server, origin: str) -> Answer:
    headers = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type,x-tenant"}
    return ask(server.otlp_http, "OPTIONS", "/v1/traces", headers)


def test_a_page_from_an_allowed_origin_may_send(server):
    answer = preflight(server, "https://shop.example.com")
    assert answer.status in (200, 204)
    granted = {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}
    assert granted == {
        "access-control-allow-origin": "https://shop.example.com",
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "content-type,x-tenant",
        "access-control-max-age": "600",
    }
    answer = server.post(GOOD, origin="https://shop.example.com")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://shop.example.com")
    assert answer.headers["access-control-expose-headers"] == "retry-after"


def test_pages_from_elsewhere_may_not(server):
    for origin in ("https://example.com", "https://shop.example.com.evil.net", "null"):
        assert "access-control-allow-origin" not in preflight(server, origin).headers


# When there is no room.


def test_a_full_journal_refuses_with_a_delay_and_recovers(servers):
    """Senders are told when to come back, over both protocols; what was acknowledged is there, and room returns with a flush."""
    journal = {"journal.segment_size": "64KiB", "journal.size_max": "128KiB"}
    flush = {"live.flush_interval": "3s", "live.decision_wait": "1s"}
    server = servers(SETTINGS | journal | flush, announced=["journal"]).start()
    numbers = itertools.count(1000)
    acknowledged = b""

    def body(number: int) -> bytes:
        return request(span(number, 1, attributes=[text("filler", "x" * 20_000)])).SerializeToString()

    def until_full(send: Callable[[bytes], bool]):
        """Six requests fill the journal; more are needed when it happens to be flushed meanwhile."""
        nonlocal acknowledged
        for number in itertools.islice(numbers, 100):
            if not send(body(number)):
                return
            acknowledged += body(number)
        raise AssertionError("the journal is never full")

    def over_http(body: bytes) -> bool:
        answer = server.post(body)
        if answer.status == 200:
            return True
        refusal, delay = Status.FromString(answer.body), RetryInfo()
        assert (answer.status, refusal.code) == (503, grpc.StatusCode.UNAVAILABLE.value[0]), answer
        assert "journal" in refusal.message and refusal.details[0].Unpack(delay), refusal
        assert int(answer.headers["retry-after"]) >= 1 and delay.retry_delay.ToMilliseconds() >= 1
        return False

    def over_grpc(body: bytes) -> bool:
        try:
            return grpc_export(server, body) == ExportTraceServiceResponse()
        except grpc.RpcError as error:
            code, message, delay = explained(error)
            assert code == grpc.StatusCode.UNAVAILABLE and "journal" in message and delay, message
            return False

    until_full(over_http)
    until_full(over_grpc)
    check_answers(server, parsed(acknowledged), ["own_json"])
    server.wait_for_law()

    eventually(lambda: server.post(body(1)).status == 200, "room in the journal again")
    check_answers(server, parsed(acknowledged + body(1)), ["own_json"])
