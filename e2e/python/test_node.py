"""The Node SDK sends over its three exporters; what it held is answered, from memory and from blocks."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from kit.server import NO_FLUSH, Server
from kit.traces import READERS

SENDER = Path(__file__).parent.parent / "node" / "send.mjs"
SPANS = 7


def url(server: Server, protocol: str) -> str:
    return f"http://{server.otlp_grpc}" if protocol == "grpc" else f"http://{server.otlp_http}/v1/traces"


def send(server: Server, protocol: str, compression: str) -> list[dict]:
    node = shutil.which("node")
    assert node, "Node.js is not installed"
    command = [node, str(SENDER), protocol, compression, url(server, protocol), f"{protocol}-{compression}"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def value(any_value: AnyValue):
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return [value(item) for item in any_value.array_value.values]
    return getattr(any_value, kind) if kind else None


def attributes(pairs: list[KeyValue]) -> dict:
    return {pair.key: value(pair.value) for pair in pairs}


def told(answered: list[ResourceSpans]) -> dict[str, dict]:
    """Spans by id in the form in which the sender prints them."""
    return {
        span.span_id.hex(): {
            "traceId": span.trace_id.hex(),
            "spanId": span.span_id.hex(),
            "traceState": span.trace_state,
            "parentSpanId": span.parent_span_id.hex(),
            "name": span.name,
            # The API counts kinds from 0 for internal; OTLP has 0 for unspecified.
            "kind": span.kind - 1,
            "start": str(span.start_time_unix_nano),
            "end": str(span.end_time_unix_nano),
            "attributes": attributes(span.attributes),
            "resource": attributes(resource.resource.attributes),
            "scope": [scope.scope.name, scope.scope.version, scope.schema_url],
            "status": [span.status.code, span.status.message],
            "events": [[str(event.time_unix_nano), event.name, attributes(event.attributes)] for event in span.events],
            "links": [[link.trace_id.hex(), link.span_id.hex(), link.trace_state, attributes(link.attributes)] for link in span.links],
        }
        for resource in answered
        for scope in resource.scope_spans
        for span in scope.spans
    }


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("protocol", ["proto", "json", "grpc"])
def test_what_the_sdk_held_is_answered(servers, protocol, compression):
    server = servers(NO_FLUSH).start()
    held = {span["spanId"]: span for span in send(server, protocol, compression)}
    assert len(held) == SPANS
    [trace_id] = {span["traceId"] for span in held.values()}
    for name, reader in READERS.items():
        assert told(reader(server, trace_id)) == held, name
    server.wait_for_law()
    server.restart()
    for name, reader in READERS.items():
        assert told(reader(server, trace_id)) == held, name
