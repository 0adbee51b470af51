"""HTTP as bytes: reading a bounded request, writing one answer, and ending a connection badly on purpose.

`Request` and `Response` are all that the rest of the sandbox knows of HTTP.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

MAX_BODY_BYTES = 256 * 1024
MAX_FIELDS = 200
MAX_DIGITS = 15
IDLE_SECONDS = 75
JSON = "application/json;charset=UTF-8"
HTML = "text/html; charset=utf-8"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class BadRequest(ValueError):
    """A request that cannot be read."""


class Ending(Enum):
    """How the answer reaches the caller."""

    WHOLE = "whole"
    RESET = "reset"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read whole; the names of its headers are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    client: str

    def header(self, name: str) -> str:
        """The value of a header, empty when there is none."""
        return self.headers.get(name.lower(), "")

    def form(self) -> dict[str, str]:
        """The form-encoded fields; of a repeated name the last one counts. Raises BadRequest."""
        try:
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
        except ValueError:
            raise BadRequest("the body is not a form in UTF-8") from None
        return dict(pairs)

    def json(self) -> dict[str, Any]:
        """The JSON object of the body, an empty one for an empty body. Raises BadRequest."""
        try:
            value = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise BadRequest("the body is not JSON") from None
        if not isinstance(value, dict):
            raise BadRequest("the body must be a JSON object")
        return value

    def cookie(self, name: str) -> str:
        """The value of a cookie, empty when there is none."""
        try:
            morsel = SimpleCookie(self.header("Cookie")).get(name)
        except CookieError:
            return ""
        return morsel.value if morsel else ""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    body: bytes = b""
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.WHOLE


Routes = dict[tuple[str, str], Callable[[Request], Response]]


def number(text: str) -> int | None:
    """A whole number of at most 15 digits, as written in a form or an address; None for anything else."""
    return int(text) if len(text) <= MAX_DIGITS and text.isascii() and text.isdigit() else None


def json_response(value: object, status: int = 200) -> Response:
    """An answer of the control API."""
    return Response(json.dumps(value, ensure_ascii=False).encode(), status)


def encode(response: Response, *, close: bool) -> bytes:
    """The whole answer as bytes, so that it leaves in one write."""
    lines = [
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"Date: {formatdate(usegmt=True)}",
        f"Content-Type: {response.content_type}",
        f"Content-Length: {len(response.body)}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    if close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + response.body


class Handler(BaseHTTPRequestHandler):
    """One connection. The subclass made by `handler_class` knows what answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    answer: Callable[[Request], Response]

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve()

    do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the request log is in the store, and a URL may hold a credential."""

    def handle(self) -> None:
        """Serve the connection; a caller that goes away is no error."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            client=self.client_address[0],
        )
        self._write(type(self).answer(request))

    def _read_body(self) -> bytes | None:
        length = number(self.headers.get("Content-Length", "0"))
        if "Transfer-Encoding" in self.headers:
            status = 411
        elif length is None:
            status = 400
        elif length > MAX_BODY_BYTES:
            status = 413
        else:
            return self._read_exactly(length)
        self.close_connection = True
        self._write(Response(b"{}", status))
        return None

    def _read_exactly(self, length: int) -> bytes | None:
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return None
        return body

    def _write(self, response: Response) -> None:
        if response.ending is Ending.RESET:
            self._reset()
            return
        if response.ending is Ending.TRUNCATED:
            self.close_connection = True
        payload = encode(response, close=self.close_connection)
        if response.ending is Ending.TRUNCATED:
            payload = payload[: len(payload) - len(response.body) // 2 - 1]
        self.wfile.write(payload)

    def _reset(self) -> None:
        """Close such that the caller sees a reset instead of an orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.connection.close()


def handler_class(answer: Callable[[Request], Response]) -> type[Handler]:
    """A handler that is answered for by `answer`."""
    return type("BoundHandler", (Handler,), {"answer": staticmethod(answer)})
