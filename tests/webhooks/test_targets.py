"""Webhooks never reach into the portal's own networks, whatever an address says and however its name is answered."""

import http.server
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import LazySettings
from django.core.exceptions import ValidationError

from integrations.dfire import connection as sockets
from integrations.models.webhooks import SendResult
from integrations.webhooks import targets
from integrations.webhooks.sending import Letter, Outcome, Sender
from integrations.webhooks.signing import new_secret
from integrations.webhooks.targets import webhook_address
from tests.webhooks.partner import Partner, answers

PUBLIC = "93.184.215.14"
SECRET = new_secret()


def send(url: str, sender: Sender | None = None) -> Outcome:
    return (sender or Sender()).send(Letter(url=url, webhook_id="msg_1", body="{}", secrets=[SECRET]))


class Resolver:
    """Answers names in turn, the last answer for ever, and counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[list[str]] = []
        self.asked = 0
        self.connected: list[str] = []
        self.real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self.getaddrinfo)
        self.open = sockets._open_socket
        monkeypatch.setattr(sockets, "_open_socket", self.open_socket)

    def getaddrinfo(self, host: str, port: Any, *args: Any, **kwargs: Any) -> Any:
        if not host.endswith(".test"):
            return self.real(host, port, *args, **kwargs)
        if kwargs.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        self.asked += 1
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (one, port, 0, 0)) if ":" in one
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in found
        ]  # fmt: skip

    def open_socket(self, addresses: list[Any], **kwargs: Any) -> Any:
        """Nothing here goes out to the Internet: only what was to be connected to is noted."""
        self.connected += [place[4][0] for place in addresses]
        if any(not place[4][0].startswith("127.") for place in addresses):
            raise ConnectionRefusedError
        return self.open(addresses, **kwargs)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    return Resolver(monkeypatch)


@pytest.fixture
def closed(settings: LazySettings) -> None:
    """No network is allowed, as it comes."""
    settings.OUTBOUND_ALLOWED_NETWORKS = []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1",
        "198.51.100.1", "203.0.113.1", "192.88.99.1", "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12:3456::1",
        "ff02::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1", "2002:a9fe:a9fe::", "2002:0a00:0001::",
        "2001:0:4136:e378::1", "2001:db8::1", "100::1", "3fff::1", "2400:3200::5efe:127.0.0.1",
        "2400:3200::200:5efe:10.0.0.1", "::ffff:0:127.0.0.1",
    ],
)  # fmt: skip
def test_no_address_of_a_network_of_ones_own_is_open(closed: None, address: str) -> None:
    assert not targets.is_allowed(ipaddress.ip_address(address), plain=False)


@pytest.mark.parametrize(
    "address", [PUBLIC, "8.8.8.8", "100.63.255.255", "172.32.0.1", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses_are_open_with_tls_alone(closed: None, address: str) -> None:
    assert targets.is_allowed(ipaddress.ip_address(address), plain=False)
    assert not targets.is_allowed(ipaddress.ip_address(address), plain=True)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd12::1"])
def test_an_operator_opens_networks(settings: LazySettings, address: str) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd12::/16")]
    for plain in (True, False):
        assert targets.is_allowed(ipaddress.ip_address(address), plain=plain)
        assert not targets.is_allowed(ipaddress.ip_address("172.16.0.1"), plain=plain)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost", "[::1]",
             "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "127.0.0.1."]
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_way_of_writing_it_leads_to_this_machine(closed: None, partner: Partner, host: str, scheme: str) -> None:
    outcome = send(f"{scheme}://{host}:{partner.port}/")
    assert outcome.result in (SendResult.NOT_ALLOWED, SendResult.NO_NAME)
    assert (outcome.status, partner.received) == (None, [])


def test_a_name_that_is_answered_anew_leads_nowhere_else(closed: None, resolver: Resolver, partner: Partner) -> None:
    """The first answer is public and is judged; whatever the next one would be, nobody asks for it."""
    resolver.answers = [[PUBLIC], ["127.0.0.1"]]
    url = f"https://rebinding.test:{partner.port}/"
    assert send(url).result is SendResult.NO_CONNECTION
    assert (resolver.asked, resolver.connected) == (1, [PUBLIC])
    assert send(url).result is SendResult.NOT_ALLOWED
    assert (resolver.connected, partner.received) == ([PUBLIC], [])


@pytest.mark.parametrize("answer", [[PUBLIC, "127.0.0.1"], ["::1"], ["2002:7f00:1::"], ["fe80::1%lo"]])
def test_one_closed_address_closes_the_name(closed: None, resolver: Resolver, answer: list[str]) -> None:
    resolver.answers = [answer]
    assert send("https://mixed.test/").result is SendResult.NOT_ALLOWED
    assert resolver.connected == []


def test_plain_http_goes_to_allowed_networks_alone(resolver: Resolver, partner: Partner) -> None:
    resolver.answers = [[PUBLIC], ["127.0.0.1"]]
    assert send("http://public.test/").result is SendResult.NOT_ALLOWED
    assert send(f"http://inside.test:{partner.port}/x?y=1").result is SendResult.OK
    assert partner.received[0].headers["host"] == f"inside.test:{partner.port}"
    assert partner.received[0].path == "/x?y=1"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(partner: Partner, status: int) -> None:
    second = Partner()
    partner.always = answers(status, Location=second.url)
    assert send(partner.url).result is SendResult.REDIRECT
    second.stop()
    assert (len(partner.received), second.received) == (1, [])


def test_proxies_and_passwords_of_the_environment_are_left_alone(
    partner: Partner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / ".netrc").write_text("default login me password pw\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    assert send(partner.url).result is SendResult.OK
    assert "authorization" not in partner.received[0].headers


@pytest.mark.parametrize(
    "address",
    [
        "ftp://partner.example/", "https://", "https://10.0.0.1/", "https://2130706433/", "https://0x7f.1/",
        "https://[::ffff:10.0.0.1]/", "http://partner.example/", "http://8.8.8.8/", "https://me:pw@partner.example/",
        "https://169.254.169.254/latest", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_the_form_refuses_what_can_be_seen(closed: None, address: str) -> None:
    with pytest.raises(ValidationError):
        webhook_address(address)


@pytest.mark.parametrize(
    "address", ["https://partner.example/hook", "https://8.8.8.8:8443/", "https://[2400:3200::1]/"]
)
def test_the_form_takes_public_addresses(closed: None, address: str) -> None:
    webhook_address(address)


def test_with_an_allowed_network_plain_names_are_taken_and_judged_when_used(settings: LazySettings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("10.0.0.0/8")]
    for address in ("http://till.intranet/", "http://10.0.0.1/"):
        webhook_address(address)
    with pytest.raises(ValidationError):
        webhook_address("http://192.168.0.1/")


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, Path, list[str]]]:
    """A TLS server for partner.test: its port, the authority to trust, and the names that callers asked for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partner.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("partner.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path / "partner.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + certificate.public_bytes(pem))
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *args: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.sni_callback = lambda _socket, host, _context: asked.append(host)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1], file, asked
    server.shutdown()
    server.server_close()


def test_the_certificate_goes_by_the_name_while_the_socket_goes_to_the_judged_address(
    resolver: Resolver, secure: tuple[int, Path, list[str]]
) -> None:
    port, authority, asked = secure
    resolver.answers = [["127.0.0.1"]]
    trusting = Sender(ca_bundle=str(authority))
    assert send(f"https://partner.test:{port}/", trusting).result is SendResult.OK
    assert (asked, resolver.connected) == (["partner.test"], ["127.0.0.1"])
    assert send(f"https://somebody-else.test:{port}/", trusting).result is SendResult.CERTIFICATE
    assert send(f"https://partner.test:{port}/").result is SendResult.CERTIFICATE
