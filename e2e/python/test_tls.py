"""TLS by configuration: the SDK sends encrypted over both protocols, and with client certificates where they are asked for."""

import datetime
import http.client
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter

from kit.made import request, span
from kit.senders import EXPORT
from kit.server import NO_FLUSH, Server, ask
from kit.story import tell
from kit.traces import check_answers


@dataclass
class Identity:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


def issue(folder: Path, name: str, authority: Identity | None = None) -> Identity:
    """A certificate for this machine, from an authority or, without one, an authority's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    if authority:
        issuer = x509.load_pem_x509_certificate(authority.certificate.read_bytes()).subject
        signing_key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    else:
        issuer, signing_key = subject, key
    now = datetime.datetime.now(datetime.UTC)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(loopback, critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    identity = Identity(folder / f"{name}.pem", folder / f"{name}.key")
    identity.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    identity.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, pem, plain))
    return identity


def speaking_tls(servers, authority: Identity, own: Identity, client: Identity | None = None) -> Server:
    context = ssl.create_default_context(cafile=authority.certificate)
    settings = {"tls.certificate": str(own.certificate), "tls.key": str(own.key)}
    if client:
        context.load_cert_chain(client.certificate, client.key)
        settings["tls.client_authorities"] = str(authority.certificate)
    return servers(NO_FLUSH | settings, tls=context).start()


def send(server: Server, authority: Identity, client: Identity | None = None):
    """A story over each protocol, read back."""
    client_files = {"client_key_file": str(client.key), "client_certificate_file": str(client.certificate)} if client else {}
    over_http = HttpExporter(f"https://{server.otlp_http}/v1/traces", certificate_file=str(authority.certificate), **client_files)
    pair = (client.key.read_bytes(), client.certificate.read_bytes()) if client else (None, None)
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes(), *pair)
    over_grpc = GrpcExporter(f"https://{server.otlp_grpc}", credentials=credentials)
    for exporter in (over_http, over_grpc):
        sent, _ = tell(exporter, "encrypted")
        check_answers(server, sent, ["own_json"])


def test_the_sdk_sends_over_tls(servers, tmp_path):
    authority = issue(tmp_path, "authority")
    server = speaking_tls(servers, authority, issue(tmp_path, "server", authority))
    send(server, authority)
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(server.http, "GET", "/ready")


def test_clients_without_a_certificate_are_not_let_in(servers, tmp_path):
    authority, stranger = issue(tmp_path, "authority"), issue(tmp_path, "stranger")
    client = issue(tmp_path, "client", authority)
    server = speaking_tls(servers, authority, issue(tmp_path, "server", authority), client)
    send(server, authority, client)
    body = request(span(1, 1)).SerializeToString()
    for pair in ((None, None), (stranger.key.read_bytes(), stranger.certificate.read_bytes())):
        credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes(), *pair)
        with grpc.secure_channel(server.otlp_grpc, credentials) as channel, pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(EXPORT)(body, timeout=30)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    server.tls = ssl.create_default_context(cafile=authority.certificate)
    with pytest.raises(OSError):
        server.post(body)
