"""Calls over https keep the same bounds, and a server that is somebody else gets nothing."""

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading

import pytest

from integrations.dfire import ConfigurationError, RetryableError, UncertainError
from tests.dfire.outside import drip
from tests.dfire.samples import GOOD, deliver, within


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody vouches for but itself: (file, server side context)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dfire test")])
    now = datetime.datetime.now(datetime.UTC)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(addresses, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key_format = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, *key_format))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return str(path), context


def test_https_works_bounded_and_reuses_its_connection(outside, connect, certificate):
    path, context = certificate
    server = outside(GOOD, tls=context)
    client = connect(server, ca_bundle=path, timeout_seconds=1)
    for _ in range(3):
        assert deliver(client).value.can_deliver is True
    assert server.connections == 1


def test_https_answers_that_drip_are_bounded(outside, connect, certificate):
    path, context = certificate
    server = outside(GOOD, tls=context)
    server.answer = lambda request: drip(request.sock, GOOD, pause=0.05)
    with within(1.5), pytest.raises(UncertainError):
        deliver(connect(server, ca_bundle=path, timeout_seconds=0.4))


def test_a_certificate_that_nobody_vouches_for_stops_the_account(outside, connect, certificate):
    server = outside(GOOD, tls=certificate[1])
    with pytest.raises(ConfigurationError):
        deliver(connect(server))
    assert server.requests == []


def test_a_handshake_that_drips_is_bounded_and_sent_nothing(connect):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                sock, _ = listener.accept()
                drip(sock, b"\x16\x03\x03\x40\x00" + b"\x00" * 100, pause=0.05)

        threading.Thread(target=serve, daemon=True).start()
        client = connect(f"https://127.0.0.1:{listener.getsockname()[1]}/router", timeout_seconds=0.4)
        with within(1.5), pytest.raises(RetryableError, match="not sent"):
            deliver(client)
