"""Senders that never stop, and a ledger of what they were promised.

Each request has ten spans of a trace of its own, and two spans of a long trace that goes through fifty requests. So the
ledger knows for every span whether it was acknowledged, refused, or left in doubt when the connection broke.
"""

import hashlib
import http.client
import threading
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from kit.made import MILLISECOND, NOON, request
from kit.senders import EXPORT
from kit.server import Server
from kit.traces import span_counts
from kit.wait import PATIENCE_S

OWN_SPANS = 10
LONG_SPANS = 2
#: Requests that a long trace goes through.
LONG_REQUESTS = 50


def own_trace(number: int) -> bytes:
    return hashlib.blake2b(b"own %d" % number, digest_size=16).digest()


def long_trace(number: int) -> bytes:
    return hashlib.blake2b(b"long %d" % (number // LONG_REQUESTS), digest_size=16).digest()


def spans_in(number: int) -> dict[bytes, list[bytes]]:
    """Ids of the spans of a request, by trace."""
    ids = [(number << 8 | position).to_bytes(8) for position in range(1, OWN_SPANS + LONG_SPANS + 1)]
    return {own_trace(number): ids[:OWN_SPANS], long_trace(number): ids[OWN_SPANS:]}


def body_of(number: int) -> bytes:
    made = []
    for trace, ids in spans_in(number).items():
        for position, id in enumerate(ids):
            start = NOON + number % 100_000 * MILLISECOND + position
            parent = ids[0] if position else b""
            made.append(
                Span(
                    trace_id=trace,
                    span_id=id,
                    parent_span_id=parent,
                    name=f"step {position}",
                    start_time_unix_nano=start,
                    end_time_unix_nano=start + MILLISECOND,
                )
            )
    return request(*made, service=f"service {number % 7}").SerializeToString()


@dataclass
class Ledger:
    """What became of requests, by their numbers."""

    acknowledged: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    #: Sent, and never answered: they may be there or not, but as a whole.
    in_doubt: set[int] = field(default_factory=set)

    def add(self, other: "Ledger"):
        self.acknowledged |= other.acknowledged
        self.refused |= other.refused
        self.in_doubt |= other.in_doubt

    def check(self, server: Server):
        """Asks for every trace: acknowledged spans are there once, refused ones are not, those in doubt all or none."""
        with Reader(server) as reader:
            there = reader.spans_by_trace(trace for number in sorted(self.numbers()) for trace in spans_in(number))
        for number in self.numbers():
            counts = {there[trace][id.hex()] for trace, ids in spans_in(number).items() for id in ids}
            assert len(counts) == 1, f"request {number} is there in part: {counts}"
            [count] = counts
            if number in self.acknowledged:
                assert count == 1, f"acknowledged request {number} is answered {count} times"
            elif number in self.refused:
                assert count == 0, f"refused request {number} is there"
            else:
                assert count <= 1, f"request {number}, which was in doubt, is answered {count} times"
        expected = sum(there[trace].total() for trace in there)
        known = {id.hex() for number in self.numbers() for ids in spans_in(number).values() for id in ids}
        assert expected == sum(1 for trace in there for id in there[trace] if id in known), "spans that nobody sent"

    def numbers(self) -> set[int]:
        return self.acknowledged | self.refused | self.in_doubt


class Reader:
    """Traces by id over one connection."""

    def __init__(self, server: Server):
        self.connection = http.client.HTTPConnection(server.http, timeout=PATIENCE_S)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_):
        self.connection.close()

    def spans_by_trace(self, traces: Iterable[bytes]):
        """How often each span id occurs in each trace."""
        return {trace: self.spans(trace) for trace in dict.fromkeys(traces)}

    def spans(self, trace: bytes):
        self.connection.request("GET", f"/api/traces/{trace.hex()}", headers={"accept": "application/protobuf"})
        response = self.connection.getresponse()
        body = response.read()
        assert response.status in (200, 404), f"{response.status} {body!r}"
        return span_counts(TracesData.FromString(body).resource_spans if response.status == 200 else [])


class Load:
    """Three senders, two over HTTP and one over gRPC, that send until they are told to stop or the server goes away."""

    SENDERS = 3

    def __init__(self, server: Server, first_number: int):
        self.ledger = Ledger()
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.failures: list[BaseException] = []
        addresses = (server.otlp_http, server.otlp_grpc)
        self.threads = [
            threading.Thread(target=self.send, args=(sender, first_number + sender, addresses), daemon=True)
            for sender in range(self.SENDERS)
        ]
        for thread in self.threads:
            thread.start()

    def acknowledged(self) -> int:
        with self.lock:
            return len(self.ledger.acknowledged)

    def stop(self) -> Ledger:
        """Waits until the senders have ended, which they do by themselves when the server is gone."""
        self.stopped.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "a sender hangs"
        assert not self.failures, self.failures
        return self.ledger

    def send(self, sender: int, number: int, addresses: tuple[str, str]):
        try:
            last = sender == self.SENDERS - 1
            with grpc_sender(addresses[1]) if last else http_sender(addresses[0]) as export:
                while not self.stopped.is_set():
                    outcome = export(body_of(number))
                    with self.lock:
                        getattr(self.ledger, outcome).add(number)
                    if outcome != "acknowledged":
                        return
                    number += self.SENDERS
        except BaseException as failure:
            self.failures.append(failure)


@contextmanager
def http_sender(address: str):
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)

    def export(body: bytes) -> str:
        try:
            connection.request("POST", "/v1/traces", body, {"content-type": "application/x-protobuf"})
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            return "in_doubt"
        if response.status == 503:
            return "refused"
        assert (response.status, answer) == (200, b""), f"{response.status} {answer!r}"
        return "acknowledged"

    try:
        yield export
    finally:
        connection.close()


@contextmanager
def grpc_sender(address: str):
    channel = grpc.insecure_channel(address)
    call = channel.unary_unary(EXPORT)

    def export(body: bytes) -> str:
        try:
            answer = call(body, timeout=PATIENCE_S)
        except grpc.RpcError as error:
            # A broken connection has the same code as a refusal, so it stays in doubt what became of the request.
            assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED), error
            return "in_doubt"
        assert answer == b"", answer
        return "acknowledged"

    try:
        yield export
    finally:
        channel.close()
