"""The log of calls that partners and staff look back at, and what Prometheus is told of each.

A call is written down when its answer has gone out (`close` of the response), so that nobody waits for it. If that
fails the call stays answered and only its line is missing. Of calls that a limit turns away, or whose key has ended or
may not be used from there, the first of each second is kept: the others say nothing more, and would make of a flood of
calls a flood of rows.

Addresses, bodies and answers are masked and cut before they are stored: neither mobile numbers nor openids, not under
the name of identifiers either, nor anything that is named like a secret gets into the table.
"""

import json
import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from django.db import Error
from django.utils import timezone
from rest_framework.request import Request
from structlog.contextvars import get_contextvars

from coupons.models import IssuedCoupon
from integrations import counters
from integrations.hooks.callers import client_address
from integrations.hooks.database import within_time
from integrations.models import ApiCall, ApiKey
from integrations.partner_api import keys, throttles
from integrations.partner_api.masking import bounded, masked, masked_line
from merchants.models import Merchant

logger = logging.getLogger(__name__)

KNOWN_KEY = "portal.api_key"  # in META: the key of a call that was turned away although it is known
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_TOO_MANY = 429
_LONGEST_PATH = 300


@dataclass(frozen=True, slots=True)
class _About:
    """What a call says of whom it is about: a coupon's code, or a merchant's id."""

    code: str
    merchant_id: str


def watch(view: Any, response: Any, raw: bytes) -> None:
    """Count the call, and have it written down once it is answered. `raw` is its body as it was read."""
    request: Request = view.request
    key = _key_of(request)
    route = _route(request)
    method = str(request.method) if request.method in _METHODS else "other"
    took = time.perf_counter() - request.META.get("portal.began", time.perf_counter())
    counters.API_SECONDS.labels(route).observe(took)
    counters.API_CALLS.labels(key.app.name if key else "", method, route, str(response.status_code)).inc()
    if key is None:
        return
    opened = isinstance(request.auth, ApiKey)
    if (response.status_code == _TOO_MANY or not opened) and not throttles.is_first_refusal(key):
        return
    data = getattr(response, "data", None)
    sent = _read(raw)
    call = ApiCall(
        app=key.app,
        key=key,
        at=timezone.now(),
        method=str(request.method)[:10],
        route=route,
        path=masked_line(unquote(request.get_full_path())).replace("\x00", "\ufffd")[:_LONGEST_PATH],
        status=response.status_code,
        code=_code_of(data),
        duration_ms=round(took * 1000),
        request_id=str(get_contextvars().get("request_id", ""))[:64],
        address=client_address(request)[:64],
        body=bounded(masked(sent)) if raw else "",
        answer=bounded(masked(data)) if data is not None else "",
    )
    if view.about is not None:
        call.coupon_id, call.merchant_id = view.about.pk, view.about.merchant_id
    used = key if opened else None
    response._resource_closers.append(partial(_keep, call, used, _about(view, sent, data)))


def _keep(call: ApiCall, used: ApiKey | None, about: _About) -> None:
    try:
        with within_time():
            if used is not None:
                keys.used(used, call.at)
            if call.coupon_id is None:
                _find(call, about)
            call.save(force_insert=True)  # in one statement, so it needs no transaction
    except Error as error:
        counters.API_CALLS_UNKEPT.inc()
        logger.warning("A call of the partner API is missing in the log of calls (%s).", type(error).__name__)


def _find(call: ApiCall, about: _About) -> None:
    """The coupon and the merchant that the call is about, among the app's own."""
    if about.code:
        own = IssuedCoupon.objects.filter(code=about.code, merchant__in=call.app.merchants.all())
        call.coupon_id, call.merchant_id = own.values_list("pk", "merchant").first() or (None, None)
    if call.merchant_id is None and about.merchant_id:
        found = Merchant.objects.filter(merchant_id=about.merchant_id, partner_apps=call.app)
        call.merchant_id = found.values_list("pk", flat=True).first()


def _about(view: Any, sent: Any, data: Any) -> _About:
    said = [source for source in (data, sent) if isinstance(source, dict)]
    codes = [view.kwargs.get("code"), *(source.get("code") for source in said)]
    asked = view.request.query_params.get("merchant_id")
    merchants = [*(source.get("merchant_id") for source in said), asked]
    return _About(*(next((str(one)[:64] for one in found if isinstance(one, str) and one.isprintable()), "")
                    for found in (codes, merchants)))  # fmt: skip


def _key_of(request: Request) -> ApiKey | None:
    if isinstance(auth := getattr(request, "_auth", None), ApiKey):
        return auth
    known = request.META.get(KNOWN_KEY)
    return known if isinstance(known, ApiKey) else None


def _route(request: Request) -> str:
    match = request._request.resolver_match
    return str(match.url_name if match is not None else "")


def _code_of(data: Any) -> str:
    errors = data.get("errors") if isinstance(data, dict) else None
    return str(errors[0].get("code", ""))[:60] if isinstance(errors, list) and errors else ""


def _read(raw: bytes) -> Any:
    """What was sent; of what is no JSON its length alone, because nobody knows what stands where in it."""
    try:
        return json.loads(raw) if raw else None
    except (ValueError, RecursionError):
        return f"({len(raw)} bytes that are no JSON)"
