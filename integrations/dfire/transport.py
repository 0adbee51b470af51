"""One request within one deadline: the adapter of requests, its pool, and what may go wrong on the way.

It knows HTTP, not dfire. Proxies and .netrc of the environment are ignored, cookies are not kept, and
redirects are not followed: a signed request goes to the configured address or nowhere. Nothing is ever
sent twice: urllib3 checks a pooled connection before it is used again, but if the server closes it while
we write, the request may have been read, and HTTP has no sign that it was not. Only a request that was
not handed over completely is known to be without effect; see connection.py.
"""

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .connection import CURRENT_CALL, BoundedHTTPConnection, BoundedHTTPSConnection, CallState

MAX_ANSWER_BYTES = 8 * 1024 * 1024  # query.promotion has no paging
_CHUNK_BYTES = 65_536

# ValueError: requests and urllib3 let a few of those through for headers and encodings that are broken.
_FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer."""

    status: int
    body: bytes = field(repr=False)  # a token may be in it
    date: str = ""  # the header, as the server wrote it


class TransportError(Exception):
    """No complete answer came.

    `request_complete` says whether the server may have acted; `status` and `body` are what arrived of the
    answer; `certificate_refused` that TLS found the server to be somebody else.
    """

    def __init__(
        self,
        message: str,
        *,
        request_complete: bool,
        certificate_refused: bool = False,
        status: int | None = None,
        body: bytes = b"",
    ) -> None:
        super().__init__(message)
        self.request_complete = request_complete
        self.certificate_refused = certificate_refused
        self.status = status
        self.body = body


class Transport:
    """A pooled HTTP session for one server, safe to share between threads."""

    def __init__(self, *, pool_size: int, ca_bundle: str | None = None) -> None:
        """`ca_bundle` is a file of trusted certificates in place of the public ones."""
        self._verify = ca_bundle or True
        self._adapter = _BoundedAdapter(pool_connections=1, pool_maxsize=pool_size)

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str], timeout: float) -> HttpAnswer:
        """Send `body` and return the complete answer, all within `timeout` seconds. Raises TransportError."""
        return self._send("POST", url, body=body, headers=headers, timeout=timeout)

    def get(self, url: str, *, timeout: float) -> HttpAnswer:
        """Return the complete answer to a GET, within `timeout` seconds. Raises TransportError, which names the URL."""
        return self._send("GET", url, body=None, headers={}, timeout=timeout)

    def _send(
        self, method: str, url: str, *, body: bytes | None, headers: Mapping[str, str], timeout: float
    ) -> HttpAnswer:
        call = CallState(deadline=time.monotonic() + timeout)
        token = CURRENT_CALL.set(call)
        status: int | None = None
        date = ""
        received = bytearray()
        try:
            request = _prepared(method, url, tuple(headers.items())).copy()
            request.prepare_body(body, None)
            with self._adapter.send(request, stream=True, timeout=timeout, verify=self._verify) as response:
                status = response.status_code
                date = response.headers.get("Date", "")
                # read1 hands over what there is: of an answer that breaks off, its beginning is kept.
                while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                    received += chunk
                    if len(received) > MAX_ANSWER_BYTES:
                        raise ValueError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
        except _FAILURES as error:
            raise TransportError(
                f"{type(error).__name__}: {error}",
                request_complete=call.request_complete,
                certificate_refused=call.certificate_refused,
                status=status,
                body=bytes(received),
            ) from error
        finally:
            CURRENT_CALL.reset(token)
        return HttpAnswer(status=status, body=bytes(received), date=date)

    def close(self) -> None:
        """Close the pooled connections; calls under way finish on theirs."""
        self._adapter.close()


@lru_cache(maxsize=64)
def _prepared(method: str, url: str, headers: tuple[tuple[str, str], ...]) -> requests.PreparedRequest:
    """The request without its body. To prepare one anew for each call takes requests longer than to send it."""
    named = {**requests.utils.default_headers(), **dict(headers)}
    return requests.Request(method, url, headers=named).prepare()


class _BoundedHTTPPool(HTTPConnectionPool):
    ConnectionCls = BoundedHTTPConnection


class _BoundedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = BoundedHTTPSConnection


class _BoundedAdapter(HTTPAdapter):
    """An adapter whose pools hold bounded connections.

    A pool does not block when it is exhausted: waiting for a free connection would not count against the
    deadline. A burst opens extra connections instead and drops them afterwards.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _BoundedHTTPPool, "https": _BoundedHTTPSPool}
