"""TraceQL from outside: Tempo's API as Grafana and scripts ask it, its streams with Google's gRPC, and the command line."""

import csv
import io
import json
import os
import subprocess
from urllib.parse import quote

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from kit.made import MILLISECOND, NOON, add_resource, field, span, text, trace_id, varint
from kit.server import NO_FLUSH, Server, binary

TRACES = 40
SECOND = 1000 * MILLISECOND
#: Around all traces, in whole seconds, as Grafana asks.
RANGE = f"start={NOON // SECOND - 60}&end={NOON // SECOND + 60}"


def traffic() -> ExportTraceServiceRequest:
    """A trace a second: `web` calls `db`, the call of every fourth fails, and each trace is of one of three tenants."""
    made = ExportTraceServiceRequest()
    services = {service: add_resource(made, service).spans for service in ("web", "db")}
    for number in range(TRACES):
        start = NOON + number * SECOND
        tenant = text("tenant.id", f"tenant-{number % 3}")
        size = KeyValue(key="size", value=AnyValue(int_value=number))
        root = span(number, 1, name="GET /", start_time_unix_nano=start, end_time_unix_nano=start + 100 * MILLISECOND)
        root.attributes.extend([tenant, size])
        status = Status(code=Status.STATUS_CODE_ERROR) if number % 4 == 0 else None
        end = start + (10 + number) * MILLISECOND
        services["db"].append(span(number, 2, parent=1, name="SELECT", start_time_unix_nano=start, end_time_unix_nano=end, status=status))
        services["web"].append(root)
    return made


@pytest.fixture(scope="module")
def server(module_servers) -> Server:
    server = module_servers(NO_FLUSH).start()
    assert server.post(traffic().SerializeToString()).status == 200
    server.wait_for_law()
    return server


@pytest.fixture(scope="module", params=["live", "stored", "both"], autouse=True)
def phase(request, server) -> str:
    """Everything in memory, everything in blocks, and the half of each trace in both."""
    if request.param == "stored":
        server.restart()
    if request.param == "both":
        again = traffic()
        del again.resource_spans[0]
        assert server.post(again.SerializeToString()).status == 200
    return request.param


def numbers(traces: list[dict]) -> list[int]:
    known = {trace_id(number).hex(): number for number in range(TRACES)}
    return [known[trace["traceID"]] for trace in traces]


NEWEST_FIRST = list(reversed(range(TRACES)))

#: Queries and the traces that match, newest first.
QUERIES = {
    "{ }": NEWEST_FIRST,
    '{ span.tenant.id = "tenant-1" }': [number for number in NEWEST_FIRST if number % 3 == 1],
    '{ resource.service.name = "db" && status = error }': [number for number in NEWEST_FIRST if number % 4 == 0],
    "{ span.size > 35.5 }": [39, 38, 37, 36],
    '{ .tenant.id = "tenant-0" } > { status = error && duration > 20ms }': [36, 24, 12],
    '{ name = "SELECT" && duration >= 48ms } | count() = 1': [39, 38],
    '{ name = "nothing" }': [],
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_search_finds_what_matches(server, query):
    found = server.json(f"/api/search?q={quote(query)}&limit=100&spss=3&{RANGE}")
    assert numbers(found["traces"]) == QUERIES[query]
    assert found["metrics"]["completedJobs"] == found["metrics"]["totalJobs"]


def test_pages_neither_overlap_nor_leave_gaps(server):
    found, cursor = [], ""
    while True:
        page = server.json(f"/api/search?q={quote('{ }')}&limit=7&{RANGE}&cursor={cursor}")
        found += numbers(page["traces"])
        cursor = page.get("next")
        if not cursor:
            break
    assert found == NEWEST_FIRST


def test_names_and_values_are_known(server):
    scopes = {scope["name"]: scope["tags"] for scope in server.json(f"/api/v2/search/tags?{RANGE}")["scopes"]}
    assert scopes["span"] == ["size", "tenant.id"]
    assert scopes["resource"] == ["service.name"]
    assert "traceDuration" in scopes["intrinsic"]
    values = lambda path: {(value["type"], value["value"]) for value in server.json(f"/api/v2/search/tag/{path}")["tagValues"]}
    assert values("span.tenant.id/values") == {("string", f"tenant-{number}") for number in range(3)}
    unfinished = quote("{ span.size < 1 && span.tenant.id = ")
    assert values(f"span.tenant.id/values?q={unfinished}") == {("string", "tenant-0")}
    assert values("span.size/values") == {("int", str(number)) for number in range(TRACES)}


def test_series_count_every_span_once(server):
    query = quote("{ } | count_over_time() by (resource.service.name)")
    found = server.json(f"/api/metrics/query_range?q={query}&{RANGE}&step=10s")
    counts = {}
    for series in found["series"]:
        [label] = series["labels"]
        counts[label["value"]["stringValue"]] = sum(sample.get("value", 0) for sample in series["samples"])
    # Those that were sent again after the restart too.
    assert counts == {"web": TRACES, "db": TRACES}
    instant = server.json(f"/api/metrics/query?q={query}&{RANGE}")
    assert {series["value"] for series in instant["series"]} == {TRACES}


# Streams


def search_request(query: str, limit: int) -> bytes:
    """A `SearchRequest`."""
    return field(8, query.encode()) + varint(4 << 3) + varint(limit)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while True:
        byte, at = data[at], at + 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def fields(message: bytes) -> list[tuple[int, bytes | int]]:
    """The fields of a protobuf message that has integers and lengths only."""
    found, at = [], 0
    while at < len(message):
        tag, at = read_varint(message, at)
        value, at = read_varint(message, at)
        if tag & 7 == 2:
            value, at = message[at : at + value], at + value
        found.append((tag >> 3, value))
    return found


@pytest.mark.parametrize("port", ["http", "otlp_grpc"])
def test_a_search_is_streamed(server, port):
    with grpc.insecure_channel(server.address(port)) as channel:
        search = channel.unary_stream("/tempopb.StreamingQuerier/Search")
        messages = list(search(search_request("{ span.size >= 30 }", 20), timeout=60))
        ids = [dict(fields(trace))[1].decode() for message in messages for number, trace in fields(message) if number == 1]
        known = {trace_id(number).hex() for number in range(30, TRACES)}
        assert sorted(ids) == sorted(known), "each trace once"
        metrics = dict(fields(dict(fields(messages[-1]))[2]))
        assert metrics[4] == metrics[5] > 0, "jobs done, jobs in all"

        with pytest.raises(grpc.RpcError) as refused:
            list(search(search_request("{ status == error }", 20), timeout=60))
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert "there is no operator `==`" in refused.value.details()


# The command line


def run(server: Server, *arguments: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")}
    command = [binary(), *arguments, "--address", f"http://{server.http}"]
    return subprocess.run(command, env=clean, capture_output=True, text=True, timeout=120)


#: The range again, as the command line takes it.
SINCE = ["--start", "2026-11-21T11:59:00Z", "--end", "2026-11-21T12:01:00Z"]


def test_the_command_line_searches(server):
    query = '{ span.tenant.id = "tenant-1" }'
    told = run(server, "query", query, *SINCE, "--limit", "100", "--output", "csv")
    assert (told.returncode, told.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(told.stdout)))
    assert [row["trace_id"] for row in rows] == [trace_id(number).hex() for number in QUERIES[query]]
    assert {row["root_name"] for row in rows} == {"GET /"}
    told = run(server, "query", query, *SINCE, "--output", "json")
    assert len(json.loads(told.stdout)["traces"]) == len(QUERIES[query])


def test_the_command_line_draws_series_and_traces(server):
    told = run(server, "query", "{ } | rate() by (resource.service.name)", *SINCE)
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[1].startswith("resource.service.name ")
    assert {line.split()[0] for line in lines[2:]} == {"db", "web"} and "█" in told.stdout
    told = run(server, "trace", trace_id(4).hex())
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("web  GET /  100 ms  2 spans  2 services  1 error\n")
    assert "\x1b" not in told.stdout, "no terminal, no colours"


def test_the_command_line_shows_a_mistake(server):
    told = run(server, "query", "{ status == error }")
    assert (told.returncode, told.stdout) == (1, "")
    assert "1 | { status == error }\n  |          ^^" in told.stderr
