"""A small HTTP server that stands where the portal would stand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

ACCEPTED = (200, {"success": True, "resultCode": "000", "message": "操作成功!"})


@dataclass(frozen=True)
class Received:
    """One request that came in."""

    path: str
    content_type: str
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Portal:
    """Keeps what it receives; `answer` decides what it says."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], tuple[int, Any]] = lambda request: ACCEPTED
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = Received(self.path, self.headers["Content-Type"], body)
                portal.received.append(request)
                status, answer = portal.answer(request)
                payload = json.dumps(answer, ensure_ascii=False).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=[0.02], daemon=True).start()

    def say(self, *answers: tuple[int, Any]) -> None:
        """Give these answers in turn, the last one for ever."""
        remaining = list(answers)
        self.answer = lambda request: remaining.pop(0) if len(remaining) > 1 else remaining[0]

    def forget(self) -> None:
        """Begin anew: nothing received, everything accepted."""
        self.received.clear()
        self.answer = lambda request: ACCEPTED

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
