"""The outside for the dfire client's tests: a real server on 127.0.0.1 that does what a test tells it to.

Every request is parsed off the socket and handed to `answer`, which returns bytes to send or does as it
likes with the socket; returning None closes the connection.
"""

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl


@dataclass
class Request:
    line: str
    headers: dict[str, str]
    params: dict[str, str]
    raw_body: bytes
    connection: int  # 1 for the first connection, and so on
    sock: socket.socket = field(repr=False)


Answer = Callable[[Request], bytes | None]


class Outside:
    """A server that counts connections and keeps the requests it read."""

    def __init__(self, answer: Answer, *, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.connections = 0
        self._tls = tls
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}/router"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                with self._lock:
                    self.connections += 1
                    number = self.connections
                    self._sockets.append(sock)
                threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
            reader = sock.makefile("rb")
            while (request := _read_request(reader, sock, number)) is not None:
                with self._lock:
                    self.requests.append(request)
                reply = self.answer(request)
                if reply is None:
                    break
                sock.sendall(reply)
            reader.close()
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()


def _read_request(reader, sock: socket.socket, number: int) -> Request | None:
    line = reader.readline().decode("latin-1").strip()
    if not line:
        return None
    headers = {}
    while text := reader.readline().decode("latin-1").strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    params = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
    return Request(line, headers, params, body, number, sock)


def http(body: object, *, status: int = 200, headers: Iterable[str] = (), length: int | None = None) -> bytes:
    """A complete HTTP answer; what is not bytes becomes JSON. `length` lies about the Content-Length."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content) if length is None else length}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + content


def success(model: object) -> dict[str, object]:
    return {"success": True, "model": model, "totalRecord": 0}


def refusal(code: str) -> dict[str, object]:
    return {"success": False, "resultCode": code, "message": "不行"}


def gateway_error(code: object, *sub_codes: str) -> dict[str, object]:
    return {
        "errorToken": "@@$-ERROR_$@@",
        "code": code,
        "message": "坏了",
        "solution": "看文档",
        "subErrors": [{"code": sub_code, "message": "细节"} for sub_code in sub_codes],
    }


def drip(sock: socket.socket, content: bytes, *, pause: float) -> None:
    """Send a byte, wait, send the next, until the other side has had enough."""
    for position in range(len(content)):
        sock.sendall(content[position : position + 1])
        time.sleep(pause)


def reset(sock: socket.socket) -> None:
    """Close with a TCP reset instead of a farewell."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def send_and_close(content: bytes) -> Answer:
    """An answer function that sends `content` and closes the connection."""

    def answer(request: Request) -> None:
        request.sock.sendall(content)

    return answer
