"""The web server as `make run` starts it, and a client that keeps all its threads busy, a connection each."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.supervisor.environment import Addresses
from config.supervisor.parts import WEB_THREADS, WEB_WORKERS, parts

HOST = "127.0.0.1"
CONNECTIONS = WEB_WORKERS * WEB_THREADS
_MOST_AT_ONCE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Load:
    """What a load came to: answered requests a second, the 50th and 99th percentile of their times in seconds, and how
    much of a core the client itself took.
    """

    rate: float
    p50: float
    p99: float
    client: float


@contextmanager
def server(settings: str) -> Iterator[int]:
    """The web server under these settings, in this process's environment; gives its port."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    command = parts(Addresses(host=HOST, port=port, sandbox_port=0), sandbox=False)["web"]
    process = subprocess.Popen(
        [sys.executable, *command[1:]],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": settings, "LOG_FORMAT": "json", "PYTHONPATH": str(Path.cwd())},
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _await(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with socket.create_connection((HOST, port), 1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("The web server did not begin.")


def get(path: str, **headers: str) -> bytes:
    """A request as it goes over the wire."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: testserver\r\n{lines}\r\n".encode()


def post(path: str, body: dict[str, Any]) -> bytes:
    """A request with a JSON body as it goes over the wire."""
    content = json.dumps(body).encode()
    head = [f"POST {path} HTTP/1.1", "Host: testserver", "Content-Type: application/json"]
    return "\r\n".join([*head, f"Content-Length: {len(content)}", "", ""]).encode() + content


def drive(port: int, requests: Sequence[bytes]) -> Load:
    """Send them all, each connection its share one after the other.

    Raises:
        AssertionError: one was not answered with success.
    """
    shares = [requests[number::CONNECTIONS] for number in range(CONNECTIONS)]
    begun, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        times = sorted(one for share in pool.map(lambda share: _send(port, share), shares) for one in share)
    took = time.perf_counter() - begun
    client = (time.process_time() - used) / took
    return Load(len(times) / took, times[len(times) // 2], times[int(len(times) * 0.99)], client)


class Line:
    """A connection that is kept."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def ask(self, request: bytes) -> float:
        """Send it and await the answer; how many seconds that took.

        Raises:
            AssertionError: it was not answered with success.
        """
        begun = time.perf_counter()
        self._socket.sendall(request)
        answer = _answer(self._socket)
        assert answer.split(b" ", 2)[1][:1] == b"2", answer[:500]
        return time.perf_counter() - begun


def _send(port: int, requests: Sequence[bytes]) -> list[float]:
    with Line(port) as line:
        return [line.ask(request) for request in requests]


def _answer(connection: socket.socket) -> bytes:
    answer, wanted = b"", 0
    while True:
        part = connection.recv(_MOST_AT_ONCE)
        assert part, "The server hung up."
        answer += part
        if not wanted:
            head, end, _body = answer.partition(b"\r\n\r\n")
            if end:
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                wanted = len(head) + len(end) + length
        if wanted and len(answer) >= wanted:
            return answer
