"""Blocks are ordinary Parquet: DuckDB and pyarrow read from the data folder what was sent, without us."""

from pathlib import Path

import duckdb
import pyarrow
import pyarrow.parquet
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from kit.made import MILLISECOND, NOON, add_resource, everything, span, text, trace_id
from kit.server import QUICK_FLUSH

TRACES = 200
SPANS_PER_TRACE = 5
SERVICES = ("gateway", "checkout", "payment")


def orders() -> ExportTraceServiceRequest:
    """Each trace: gateway → checkout → three attempts at payment, of which the last but one of every tenth trace fails."""
    made = ExportTraceServiceRequest()
    gateway, checkout, payment = (add_resource(made, service).spans for service in SERVICES)
    for order in range(TRACES):
        number = 10_000 + order
        gateway.append(span(number, 1, kind=Span.SPAN_KIND_SERVER, attributes=[text("tenant", f"tenant {order % 4}")]))
        checkout.append(
            span(number, 2, parent=1, kind=Span.SPAN_KIND_INTERNAL, attributes=[number_of("order", order), decimal("total", order / 8)])
        )
        for attempt in (3, 4, 5):
            failed = attempt == 4 and order % 10 == 0
            payment.append(
                span(
                    number, attempt, parent=2, kind=Span.SPAN_KIND_CLIENT, attributes=[number_of("attempt", attempt - 2)],
                    status=Status(code=Status.STATUS_CODE_ERROR, message="declined") if failed else None,
                    events=[Span.Event(time_unix_nano=NOON + 7, name="exception", attributes=[text("exception.type", "Declined")])] if failed else [],
                )
            )  # fmt: skip
    return made


def number_of(key: str, value: int) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(int_value=value))


def decimal(key: str, value: float) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(double_value=value))


@pytest.fixture(scope="module")
def data(module_servers) -> Path:
    """The data folder of a server that runs on while others read it: spans went to blocks in three flushes."""
    server = module_servers(QUICK_FLUSH | {"compaction.enabled": "false"}).start()
    made = orders()
    resources = list(made.resource_spans)
    for resource in resources:
        assert server.post(ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString()).status == 200
        server.wait_until_stored()
    assert server.post(everything().SerializeToString()).status == 200
    law = server.wait_until_stored()
    assert law.stored == TRACES * SPANS_PER_TRACE + 4
    return server.data_dir


def files(data: Path, name: str) -> str:
    return f"'{data}/blocks/tenant=*/class=*/date=*/*/{name}.parquet'"


def query(sql: str) -> list[tuple]:
    return duckdb.sql(sql).fetchall()


@pytest.fixture(scope="module")
def spans(data: Path) -> str:
    """All spans of the orders, from all blocks, whatever columns each has."""
    return f"(SELECT * FROM read_parquet({files(data, 'spans')}, union_by_name = true) WHERE service IN {SERVICES})"


def test_duckdb_counts_spans_by_service(spans):
    assert query(f"SELECT service, count(*), count(*) FILTER (status = 'error') FROM {spans} GROUP BY 1 ORDER BY 1") == [
        ("checkout", TRACES, 0),
        ("gateway", TRACES, 0),
        ("payment", 3 * TRACES, TRACES // 10),
    ]


def test_duckdb_reads_core_columns(spans):
    wanted = trace_id(10_010).hex()
    rows = query(f"""
        SELECT lower(hex(span_id)), name, kind, status, status_message, epoch_ns(start), duration
        FROM {spans} WHERE lower(hex(trace_id)) = '{wanted}' ORDER BY start
    """)
    kinds = ["server", "internal", "client", "client", "client"]
    assert rows == [
        (
            f"{number:016x}",
            f"operation {number}",
            kind,
            "error" if number == 4 else "unset",
            "declined" if number == 4 else None,
            NOON + number * MILLISECOND,
            10 * MILLISECOND,
        )
        for number, kind in enumerate(kinds, start=1)
    ]


def test_duckdb_filters_on_columns_of_attributes(spans):
    assert query(f"""SELECT "attr.tenant", count(*) FROM {spans} WHERE "attr.tenant" IS NOT NULL GROUP BY 1 ORDER BY 1""") == [
        (f"tenant {number}", TRACES // 4) for number in range(4)
    ]
    [(orders, total, attempts)] = query(f"""SELECT sum("attr.order"), sum("attr.total"), sum("attr.attempt") FROM {spans}""")
    assert (orders, total, attempts) == (sum(range(TRACES)), sum(range(TRACES)) / 8, 6 * TRACES)


def test_duckdb_unnests_events(spans):
    rows = query(f"""
        SELECT event.name, epoch_ns(event.time), event.attributes['exception.type'].value, count(*)
        FROM (SELECT unnest(events) AS event FROM {spans}) GROUP BY ALL
    """)
    assert rows == [("exception", NOON + 7, "Declined", TRACES // 10)]


def test_duckdb_joins_resources(data):
    """`resource` of a span is the row in the file beside it."""
    rows = query(f"""
        WITH spans AS (SELECT *, parse_dirpath(filename) AS block FROM read_parquet({files(data, "spans")}, union_by_name = true, filename = true)),
        resources AS (
            SELECT *, parse_dirpath(filename) AS block, file_row_number AS row
            FROM read_parquet({files(data, "resources")}, filename = true, file_row_number = true)
        )
        SELECT resources.attributes['service.name'].value, scope_name, scope_version, resources.schema_url, scope_schema_url, count(*)
        FROM spans JOIN resources ON spans.block = resources.block AND spans.resource = resources.row
        GROUP BY ALL ORDER BY ALL
    """)
    others = [
        (f"service {r}", f"scope {s}", f"{s}.0", f"https://example.com/resource/{r}", f"https://example.com/scope/{s}", 1)
        for r in (1, 2)
        for s in (1, 2)
    ]
    assert rows == [
        ("checkout", "", "", "", "", TRACES),
        ("gateway", "", "", "", "", TRACES),
        ("payment", "", "", "", "", 3 * TRACES),
        *others,
    ]


def test_duckdb_reads_traces(data):
    """Pieces of a trace are rows of their own until compaction; together they are whole."""
    [row] = query(f"""
        SELECT count(DISTINCT trace_id), sum(spans), sum(errors), count(root_name), min(epoch_ns(start)), max(epoch_ns("end")), count(*)
        FROM read_parquet({files(data, "traces")}, union_by_name = true)
    """)
    first, last = NOON + MILLISECOND, NOON + 230 * MILLISECOND
    assert row == (TRACES + 1, TRACES * SPANS_PER_TRACE + 4, TRACES // 10 + 4, TRACES, first, last, 3 * TRACES + 1)


def test_pyarrow_reads_every_block(data):
    """Types are those of the documentation, ids are fixed-size, and positions are inside their files."""
    blocks = [file.parent for file in data.glob("blocks/tenant=default/class=default/date=*/*/spans.parquet")]
    assert len(blocks) >= 4
    total = 0
    for block in blocks:
        spans, traces, resources = (
            pyarrow.parquet.ParquetFile(block / f"{name}.parquet").read() for name in ("spans", "traces", "resources")
        )
        assert spans.schema.field("trace_id").type == pyarrow.binary(16) and spans.schema.field("span_id").type == pyarrow.binary(8)
        assert spans.schema.field("start").type == pyarrow.timestamp("ns", "UTC")
        total += spans.num_rows
        assert sum(traces["spans"].to_pylist()) == spans.num_rows
        assert all(row < resources.num_rows for row in spans["resource"].to_pylist())
        check_order(spans, traces)
    assert total == TRACES * SPANS_PER_TRACE + 4


def check_order(spans: pyarrow.Table, traces: pyarrow.Table):
    """Rows of a trace stand together, traces by id; `parent` leads to the parent, and descendants follow their ancestor."""
    ids = [id.hex() for id in spans["trace_id"].to_pylist()]
    trace_ids = [id.hex() for id in traces["trace_id"].to_pylist()]
    assert trace_ids == sorted(set(trace_ids)) and ids == sorted(ids)
    for id, row, count in zip(trace_ids, traces["row"].to_pylist(), traces["spans"].to_pylist(), strict=True):
        assert ids[row : row + count] == [id] * count
    parents, subtrees = spans["parent"].to_pylist(), spans["subtree"].to_pylist()
    for row, (parent, subtree) in enumerate(zip(parents, subtrees, strict=True)):
        assert ids[row - parent] == ids[row] == ids[row + subtree]
        if parent:
            assert row <= row - parent + subtrees[row - parent], "a child lies in its parent's range"
