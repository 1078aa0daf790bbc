"""OTLP over HTTP and gRPC, from the real SDK and from bytes of our own."""

import gzip
import zlib
from collections.abc import Callable, Sequence
from contextlib import contextmanager

import grpc
import pyarrow
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace.export import SpanExporter

from kit.server import Server

#: The exporters of the SDK, in every way in which their users can set them.
EXPORTERS: dict[str, Callable[[Server], SpanExporter]] = {
    "http": lambda server: HttpExporter(f"http://{server.otlp_http}/v1/traces", compression=Compression.NoCompression),
    "http-gzip": lambda server: HttpExporter(f"http://{server.otlp_http}/v1/traces", compression=Compression.Gzip),
    "http-deflate": lambda server: HttpExporter(f"http://{server.otlp_http}/v1/traces", compression=Compression.Deflate),
    "grpc": lambda server: GrpcExporter(f"http://{server.otlp_grpc}", compression=grpc.Compression.NoCompression),
    "grpc-gzip": lambda server: GrpcExporter(f"http://{server.otlp_grpc}", compression=grpc.Compression.Gzip),
    "grpc-deflate": lambda server: GrpcExporter(f"http://{server.otlp_grpc}", compression=grpc.Compression.Deflate),
    # Both ports speak both protocols.
    "http-on-grpc-port": lambda server: HttpExporter(f"http://{server.otlp_grpc}/v1/traces"),
    "grpc-on-http-port": lambda server: GrpcExporter(f"http://{server.otlp_http}"),
}

#: Content encodings, by their names in HTTP.
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": lambda body: gzip.compress(body, compresslevel=1),
    "deflate": lambda body: zlib.compress(body, level=1),
    "zstd": lambda body: pyarrow.compress(body, codec="zstd", asbytes=True),
}

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@contextmanager
def grpc_method(server: Server, path: str = EXPORT, compression: grpc.Compression = grpc.Compression.NoCompression):
    """A unary method that takes and gives bytes."""
    unlimited: Sequence[tuple[str, int]] = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(server.otlp_grpc, options=unlimited, compression=compression) as channel:
        call = channel.unary_unary(path)
        yield lambda body: call(body, timeout=30)


def grpc_export(server: Server, body: bytes) -> ExportTraceServiceResponse:
    with grpc_method(server) as call:
        return ExportTraceServiceResponse.FromString(call(body))
