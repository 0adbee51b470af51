"""One signed call to dfire's router, from parameters to a reply or an error that carries its exchange.

This is where the system parameters, the signature, the transport and the reading of answers meet; which
calls there are is client.py's matter.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

import requests

from . import methods
from .codes import ResultClass, unknown_outcome
from .envelope import Envelope, open_envelope
from .errors import DfireError, error_of
from .exchange import Exchange, Reply, answer_text, storable
from .signing import SIGN_PARAMETER, sign
from .transport import Transport, TransportError

T = TypeVar("T")

_HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}


class Gateway:
    """dfire's router for one account. Safe to share between threads."""

    def __init__(
        self,
        *,
        base_url: str,
        app_key: str,
        app_secret: str,
        timeout_seconds: float,
        transport: Transport,
        clock: Callable[[], float],
    ) -> None:
        """`clock` gives epoch seconds. ValueError for an address, key, secret or timeout that cannot work."""
        self._url = _checked_url(base_url)
        if not app_key.strip() or not app_secret:
            raise ValueError("app_key and app_secret must not be blank")
        if not timeout_seconds > 0:
            raise ValueError("timeout_seconds must be more than 0")
        self._app_key = app_key
        self._app_secret = app_secret
        self._timeout_seconds = timeout_seconds
        self._transport = transport
        self._clock = clock

    def call(self, method: str, params: Mapping[str, str], read: Callable[[Envelope], T]) -> Reply[T]:
        """Send one call and read its answer; DfireError, with its exchange, when it did not succeed.

        ValueError, before anything is sent, for text that is no UTF-8.
        """
        writes = methods.changes_something(method)
        now = self._clock()
        request = {
            "appKey": self._app_key,
            "timestamp": str(int(now * 1000)),
            "v": methods.API_VERSION,
            "method": method,
            **params,
        }
        body = urlencode({**request, SIGN_PARAMETER: sign(request, self._app_secret)}).encode("ascii")
        started = time.monotonic()

        def exchange(status: int | None, answer: bytes, date: str = "") -> Exchange:
            seconds = time.monotonic() - started
            return Exchange(
                method=method,
                request=request,
                http_status=status,
                answer=answer_text(answer),
                started_at=datetime.fromtimestamp(now, UTC),
                duration_ms=round(seconds * 1000),
                clock_ahead_seconds=clock_ahead(now + seconds, date),
            )

        try:
            answer = self._transport.post(self._url, body=body, headers=_HEADERS, timeout=self._timeout_seconds)
        except TransportError as failure:
            error = no_answer(failure, writes=writes)
            error.exchange = exchange(failure.status, failure.body)
            raise error from failure
        record = exchange(answer.status, answer.body, answer.date)
        try:
            value = read(open_envelope(status=answer.status, body=answer.body, writes=writes))
        except DfireError as error:
            error.exchange = record
            error.http_status = answer.status
            raise
        return Reply(value=value, exchange=record)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()


def no_answer(failure: TransportError, *, writes: bool) -> DfireError:
    """Return the error for a call without a complete answer.

    A request that was not handed over completely had no effect: retryable, unless the server's certificate
    was refused, which staff must mend. After that, a write is uncertain and a read is retryable.
    """
    if failure.certificate_refused:
        result_class = ResultClass.CONFIGURATION
    elif not failure.request_complete:
        result_class = ResultClass.RETRYABLE
    else:
        result_class = unknown_outcome(writes=writes)
    sent = "no complete answer" if failure.request_complete else "not sent"
    return error_of(result_class, storable(f"{sent}: {failure}", limit=500), http_status=failure.status)


def clock_ahead(now: float, date: str) -> int | None:
    """Return by how many seconds our clock (epoch seconds) is ahead of a `Date` header; None without a usable one."""
    try:
        said = parsedate_to_datetime(date)
    except ValueError:
        return None
    return None if said.tzinfo is None else round(now - said.timestamp())


def _checked_url(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        prepared = requests.Request("POST", base_url).prepare().url
    except ValueError as error:  # what requests says of a bad address is one too
        raise ValueError(f"base_url is no usable address: {error}") from None
    if not usable or prepared is None:
        raise ValueError("base_url must be an http or https address without a user name")
    return prepared
