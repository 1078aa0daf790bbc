"""Lists of traces: filters, orders and pages, the same from memory and from blocks."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from kit.made import MILLISECOND, NOON, add_resource, span, trace_id
from kit.server import NO_FLUSH, Server

TRACES = 60
SECOND = 1000 * MILLISECOND


def start_of(number: int) -> int:
    return NOON + number * SECOND


def duration_of(number: int) -> int:
    """All different, in another order than the starts."""
    return (1 + number * 37 % TRACES) * 10 * MILLISECOND


def traffic() -> ExportTraceServiceRequest:
    """A trace a second: a root of `web` or, in every third, of `batch`; every fifth calls `db`, every sixth has an error."""
    made = ExportTraceServiceRequest()
    services = {service: add_resource(made, service).spans for service in ("web", "batch", "db")}
    for number in range(TRACES):
        root = services["batch" if number % 3 == 0 else "web"]
        end = start_of(number) + duration_of(number)
        status = Status(code=Status.STATUS_CODE_ERROR) if number % 6 == 0 else None
        root.append(span(number, 1, name=f"job {number % 2}", start_time_unix_nano=start_of(number), end_time_unix_nano=end, status=status))
        if number % 5 == 0:
            services["db"].append(span(number, 2, parent=1, start_time_unix_nano=start_of(number), end_time_unix_nano=end))
    return made


@pytest.fixture(scope="module")
def server(module_servers) -> Server:
    server = module_servers(NO_FLUSH).start()
    assert server.post(traffic().SerializeToString()).status == 200
    server.wait_for_law()
    return server


@pytest.fixture(scope="module", params=["live", "stored", "both"], autouse=True)
def phase(request, server):
    """Everything in memory, everything in blocks, and some of it in both."""
    if request.param == "stored":
        server.restart()
    if request.param == "both":
        # Spans sent again: each is in a block and in memory now, which must not show.
        again = traffic()
        del again.resource_spans[0]
        assert server.post(again.SerializeToString()).status == 200


def pages(server: Server, query: str, limit: int) -> list[int]:
    """Numbers of the traces on all pages."""
    numbers = {trace_id(number).hex(): number for number in range(TRACES)}
    found: list[int] = []
    cursor = ""
    for _ in range(TRACES + 1):
        page = server.json(f"/api/v1/traces?limit={limit}&{query}{cursor}")
        assert page["missing"] == [] and len(page["traces"]) <= limit
        found += [numbers[trace["traceId"]] for trace in page["traces"]]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"
    raise AssertionError("the pages have no end")


NEWEST = list(reversed(range(TRACES)))
SLOWEST = sorted(range(TRACES), key=duration_of, reverse=True)
at = lambda number: str(start_of(number))

QUERIES = {
    "": NEWEST,
    "order=newest": NEWEST,
    "order=slowest": SLOWEST,
    "service=batch": [number for number in NEWEST if number % 3 == 0],
    "service=db&order=slowest": [number for number in SLOWEST if number % 5 == 0],
    "service=nobody": [],
    "operation=job%201": [number for number in NEWEST if number % 2 == 1],
    "error=true": [number for number in NEWEST if number % 6 == 0],
    "error=false&service=batch": [number for number in NEWEST if number % 6 == 3],
    "minDuration=300ms": [number for number in NEWEST if duration_of(number) >= 300 * MILLISECOND],
    "minDuration=0.1s&maxDuration=200ms": [number for number in NEWEST if 100 * MILLISECOND <= duration_of(number) <= 200 * MILLISECOND],
    f"start={at(10)}&end={at(20)}": [number for number in NEWEST if 10 <= number < 20],
    f"start={start_of(50) // SECOND}": [number for number in NEWEST if number >= 50],
    "end=2026-11-21T12:00:05Z": [number for number in NEWEST if number < 5],
    f"service=web&error=false&order=slowest&minDuration=50ms&start={at(5)}": [
        number for number in SLOWEST if number % 3 and duration_of(number) >= 50 * MILLISECOND and number >= 5
    ],
}


@pytest.mark.parametrize("limit", [7, 1000])
@pytest.mark.parametrize("query", QUERIES)
def test_all_pages_together_are_the_list(server, query, limit):
    assert pages(server, query, limit) == QUERIES[query]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=0", "limit: `0` is not a number from 1 to 1000"),
        ("limit=1001", "limit: `1001` is not a number from 1 to 1000"),
        ("order=oldest", "order: `oldest` is not `newest` or `slowest`"),
        ("error=maybe", "error: `maybe` is not `true` or `false`"),
        ("minDuration=soon", "minDuration: `soon` is not a duration"),
        ("minDuration=2s&maxDuration=1s", "minDuration: must not be above maxDuration"),
        ("start=20&end=10", "start: must be before end"),
        ("cursor=nonsense", "cursor: "),
        ("sevrice=web", "sevrice"),
    ],
)
def test_a_wrong_parameter_is_named(server, query, words):
    answer = server.get(f"/api/v1/traces?{query}")
    assert (answer.status, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
    assert words in answer.text, answer.text


def test_the_openapi_document_names_every_path(server):
    document = server.json("/api/v1/openapi.json")
    assert set(document["paths"]) == {
        "/api/v1/traces", "/api/v1/traces/{id}", "/api/v1/traces/{id}/analysis", "/api/v1/traces/{id}/compare/{other}",
        "/api/v1/traces/{id}/skeleton", "/api/v1/traces/{id}/matches", "/api/v1/analysis", "/api/v1/matches", "/api/v1/compare", "/api/v1/extent",
        "/api/v1/search/live",
        "/api/v1/services", "/api/v1/services/{service}/operations",
        "/api/v1/search", "/api/v1/query/check", "/api/v1/query/complete", "/api/v1/query/explain",
    }  # fmt: skip


def test_health_is_told(server):
    assert server.get("/ready").status == 200
    assert server.get("/api/echo").text == "echo"
    assert server.json("/api/status/buildinfo")["version"]
