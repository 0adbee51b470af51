"""The sandbox's server: a socket, a thread for every connection, an orderly end.

It stands on http.server instead of Django's server because it must be able to break a connection before or
after it has acted, which no WSGI server allows.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from integrations.sandbox.app import App
from integrations.sandbox.wire import handler_class

WAITING_CONNECTIONS = 1024


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = WAITING_CONNECTIONS

    def __init__(self, address: tuple[str, int], handler: type[Any]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # HTTPServer would look its own name up in the DNS here.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """End the connections that are kept alive."""
        with self._connections_lock:
            remaining = list(self._connections)
        for connection in remaining:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Sandbox:
    """A running sandbox. Port 0 takes a free one; `url` tells which."""

    def __init__(self, host: str, port: int, config_path: Path | str, store_path: Path | str) -> None:
        self.app = App(config_path=config_path, store_path=store_path)
        self._stopped = False
        try:
            self._server = _Server((host, port), handler_class(self.app.answer))
        except OSError:
            self.app.stop()
            raise
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox", daemon=True
        )

    @property
    def url(self) -> str:
        """The address without a final slash."""
        host, port = self._server.server_address[:2]
        name = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{name}:{port}"

    def start(self) -> Sandbox:
        """Serve in a thread."""
        self.app.start()
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the socket, end the connections, write the store; a second time does nothing."""
        if self._stopped:
            return
        self._stopped = True
        self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()
        self._thread.join(timeout=5)
        self.app.stop()
