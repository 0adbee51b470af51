"""A partner's server: real HTTP on 127.0.0.1, answering as it is told. The fake begins at the socket."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from integrations.webhooks.signing import new_secret

Behaviour = Callable[["Handler"], None]


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes
    path: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def read(self, secret: str) -> Any:
        """The event, if its signature is right."""
        return Webhook(secret).verify(self.body, self.headers)


class Handler(BaseHTTPRequestHandler):
    """Keeps what comes and behaves as the partner does next."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_POST(self) -> None:
        """Take an event."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.partner.lock:
            self.server.partner.received.append(Received(headers, body, self.path))
            behaviours = self.server.partner.next
            behaviour = behaviours.pop(0) if behaviours else self.server.partner.always
        behaviour(self)

    do_GET = do_POST

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A complete answer."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    partner: "Partner"

    def handle_error(self, *args: Any) -> None:
        """Callers go away when they have waited enough."""


class Partner:
    """What it has received, and how it behaves: `next` first, then `always`."""

    def __init__(self) -> None:
        self.secret = new_secret()
        self.received: list[Received] = []
        self.next: list[Behaviour] = []
        self.always: Behaviour = answers(200, b"ok")
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.partner = self
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    def events(self) -> list[Any]:
        """What it has received, each with a right signature."""
        return [one.read(self.secret) for one in self.received]

    def types(self) -> list[str]:
        """The kinds of the events."""
        return [event["type"] for event in self.events()]

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()


def answers(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Answers so."""
    return lambda handler: handler.say(status, body, **headers)


def breaks_off(handler: Handler) -> None:
    """Half an answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"half")
    handler.close_connection = True


def hangs_up(handler: Handler) -> None:
    """No answer at all."""
    handler.close_connection = True


def sleeps(seconds: float) -> Behaviour:
    """A late answer."""

    def behave(handler: Handler) -> None:
        time.sleep(seconds)
        handler.say(200)

    return behave


def trickles(handler: Handler) -> None:
    """A byte now and then, without end."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b"1\r\nx\r\n")
        handler.wfile.flush()
        time.sleep(0.05)


def pours(handler: Handler) -> None:
    """A body of 50 MB."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(50 * 1024 * 1024))
    handler.end_headers()
    for _ in range(50):
        handler.wfile.write(b"y" * 1024 * 1024)
