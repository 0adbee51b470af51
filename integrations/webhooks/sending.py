"""One call to a partner's address within one time limit. No database here.

The connection resolves and judges the name itself (`targets`) and connects to exactly what was judged, while TLS, its
certificate and the Host header go by the name. There are no proxies, no cookies and no redirects, and nothing of an
answer is read beyond what is kept or needed.
"""

import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any

import urllib3
from django.conf import settings
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError

from integrations.dfire.connection import CURRENT_CALL, BoundedHTTPConnection, BoundedHTTPSConnection, CallState
from integrations.dfire.exchange import storable
from integrations.models.webhooks import SendResult
from integrations.webhooks import signing, targets
from merchants.admin.masking import masked_text

KEPT_BYTES = 2048
READ_BYTES = 64 * 1024  # of a longer answer the rest is not waited for
LONGEST_WAIT_SECONDS = 3600  # whatever Retry-After says
_AGENT = "Coupon-Portal-Webhooks/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent, where, and with which secrets it is signed."""

    url: str = field(repr=False)
    webhook_id: str
    body: str
    secrets: Sequence[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call. `answer` is the beginning of the body, mobile numbers masked; `wait_seconds` Retry-After."""

    result: SendResult
    status: int | None = None
    answer: str = ""
    duration_ms: int = 0
    wait_seconds: int = 0


class _PinnedHTTPConnection(BoundedHTTPConnection):
    """Goes where a plain webhook may go, or nowhere."""

    plain = True

    def addresses(self, timeout: float) -> list[Any]:
        """The host's addresses, each judged; the socket is opened to one of these."""
        return targets.resolved(self.host, self.port, plain=self.plain, timeout=timeout)


class _PinnedHTTPSConnection(_PinnedHTTPConnection, BoundedHTTPSConnection):
    """The same with TLS."""

    plain = False


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _PinnedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PinnedHTTPSConnection


class Sender:
    """Pooled connections to partners, safe to share between threads."""

    def __init__(self, *, ca_bundle: str = "") -> None:
        """`ca_bundle` is a file of trusted certificates in place of the public ones."""
        self._pools = urllib3.PoolManager(
            num_pools=64,
            maxsize=8,
            block=False,
            cert_reqs=ssl.CERT_REQUIRED,
            ca_certs=ca_bundle or DEFAULT_CA_BUNDLE_PATH,
        )
        self._pools.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def send(self, letter: Letter) -> Outcome:
        """Make the call, in at most WEBHOOK_TIMEOUT_SECONDS. Never raises for anything that the other side does."""
        began = time.monotonic()
        call = CallState(deadline=began + settings.WEBHOOK_TIMEOUT_SECONDS)
        token = CURRENT_CALL.set(call)
        try:
            outcome = self._post(letter)
        except signing.UnusableSecret:
            outcome = Outcome(SendResult.SECRET)
        except targets.TargetRefused as refused:
            outcome = Outcome(SendResult.NOT_ALLOWED, answer=str(refused))
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            outcome = Outcome(_trouble(error, call))
        finally:
            CURRENT_CALL.reset(token)
        return replace(outcome, duration_ms=round((time.monotonic() - began) * 1000))

    def _post(self, letter: Letter) -> Outcome:
        signed = signing.headers(letter.webhook_id, letter.body, letter.secrets, datetime.now(UTC))
        response = self._pools.urlopen(
            "POST", letter.url, body=letter.body.encode(), redirect=False, retries=False, preload_content=False,
            timeout=settings.WEBHOOK_TIMEOUT_SECONDS,
            headers={**signed, "Content-Type": "application/json", "User-Agent": _AGENT, "Accept-Encoding": "identity"},
        )  # fmt: skip
        whole = False
        try:
            received = bytearray()
            while len(received) < READ_BYTES:
                if not (chunk := response.read1(8192, decode_content=False)):
                    whole = True
                    break
                received += chunk
        finally:
            if not whole:
                response.close()
            response.release_conn()
        kept = storable(bytes(received[:KEPT_BYTES]).decode("utf-8", "replace"), limit=KEPT_BYTES)
        wait = _wait(response.headers.get("Retry-After", ""))
        return Outcome(_meaning(response.status), response.status, masked_text(kept), wait_seconds=wait)


def _meaning(status: int) -> SendResult:
    if 200 <= status < 300:
        return SendResult.OK
    if status == 410:
        return SendResult.GONE
    if status in (429, 503):
        return SendResult.BUSY
    return SendResult.REDIRECT if 300 <= status < 400 else SendResult.REFUSED


def _trouble(error: Exception, call: CallState) -> SendResult:
    if call.certificate_refused:
        return SendResult.CERTIFICATE
    if isinstance(error, NameResolutionError):
        return SendResult.NO_NAME
    if time.monotonic() >= call.deadline:
        return SendResult.TIMEOUT
    return SendResult.BROKEN if call.request_complete else SendResult.NO_CONNECTION


def _wait(text: str) -> int:
    """The seconds of a Retry-After, a number or a date, within bounds; 0 where it says nothing."""
    try:
        seconds = int(text) if text.isdecimal() else (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0
    return round(min(max(seconds, 0), LONGEST_WAIT_SECONDS))
