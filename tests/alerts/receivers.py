"""Where notices arrive in the tests: an HTTP server and an SMTP server on 127.0.0.1 that keep what they get."""

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Web:
    """An HTTP server: `answers` are given in turn, the last one for ever. `seconds` it takes to answer."""

    port: int = 0
    answers: list[tuple[int, Any]] = field(default_factory=lambda: [(200, {})])
    seconds: float = 0
    paths: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        """Its address as apprise writes it."""
        return f"json://127.0.0.1:{self.port}/alerts"

    @property
    def titles(self) -> list[str]:
        """The titles of the notices that came."""
        return [body["title"] for body in self.bodies]


@contextmanager
def web_server() -> Iterator[Web]:
    """An HTTP server for the time of a test."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.paths.append(self.path)
            web.bodies.append(json.loads(body))
            status, answer = web.answers[0] if len(web.answers) == 1 else web.answers.pop(0)
            time.sleep(web.seconds)
            text = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            with suppress(ConnectionError):  # whoever asked may have left
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Location", "/elsewhere")  # what only a redirect means
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        web.port = port
        yield web


@dataclass
class Mailbox:
    """An SMTP server and what was handed to it. `refusal` is its answer to a recipient, where it has one."""

    port: int = 0
    refusal: str = ""
    recipients: list[str] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)

    @property
    def address(self) -> str:
        """An address of apprise's that leads here."""
        return f"mailto://127.0.0.1:{self.port}?from=portal@example.com&to=ops@example.com"


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """An SMTP server for the time of a test."""
    box = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 sink")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "QUIT":
                    return self.say("221 bye")
                if verb == "DATA":
                    self.say("354 go on")
                    box.mails.append(self.mail())
                if verb == "RCPT":
                    box.recipients.append(line)
                self.say(box.refusal if verb == "RCPT" and box.refusal else "250 ok")
            return None

        def mail(self) -> EmailMessage:
            lines = iter(self.rfile.readline, b".\r\n")
            text = b"".join(line.removeprefix(b".") if line.startswith(b"..") else line for line in lines)
            mail = message_from_bytes(text, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            return mail

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with _serving(Server(("127.0.0.1", 0), Handler)) as port:
        box.port = port
        yield box


@contextmanager
def _serving(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
