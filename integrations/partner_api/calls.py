"""What can be asked of the log of calls: classes of answers, names of routes, how many of each there were lately."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from integrations.models import ApiCall

MOST_COUNTED = 20_000
TOO_MANY = 429
DONE, REFUSED, THROTTLED, FAILED = "done", "refused", "throttled", "failed"
STATUS_CLASSES: Mapping[str, Any] = {
    DONE: _("answered well (2xx)"),
    REFUSED: _("refused (4xx)"),
    THROTTLED: _("throttled (429)"),
    FAILED: _("failed (5xx)"),
}
ROUTES: Mapping[str, str] = {
    "api-templates": "coupon-templates/",
    "api-template": "coupon-templates/{coupon_id}/",
    "api-coupons": "coupons/",
    "api-coupon": "coupons/{code}/",
    "api-check": "coupons/{code}/check/",
    "api-redeem": "coupons/{code}/redeem/",
    "api-transfer": "coupons/{code}/transfer/",
    "api-revoke": "coupons/{code}/revoke/",
    "api-customer": "customers/{identifier}/",
    "api-nowhere": "…",
}


def route_words(call: ApiCall) -> str:
    """Method and address of what was called."""
    return f"{call.method} {ROUTES.get(call.route, call.route)}"


def class_of(status: int) -> str:
    """The class of an answer's HTTP status."""
    if status == TOO_MANY:
        return THROTTLED
    return FAILED if status >= 500 else REFUSED if status >= 400 else DONE


def in_class(calls: QuerySet[ApiCall], name: str) -> QuerySet[ApiCall]:
    """Those of a class; all where there is none of this name."""
    match name:
        case "done":
            return calls.filter(status__lt=400)
        case "refused":
            return calls.filter(status__gte=400, status__lt=500).exclude(status=TOO_MANY)
        case "throttled":
            return calls.filter(status=TOO_MANY)
        case "failed":
            return calls.filter(status__gte=500)
    return calls


def counted(calls: QuerySet[ApiCall], since: datetime) -> tuple[dict[str, int], bool]:
    """How many calls of each class there were since a moment (aware).

    Returns:
        The numbers by class, and whether there were more: the newest 20,000 are counted.
    """
    newest = calls.filter(at__gte=since).order_by("-at").values_list("status", flat=True)[:MOST_COUNTED]
    numbers = dict.fromkeys(STATUS_CLASSES, 0)
    for status, count in Counter(newest).items():
        numbers[class_of(status)] += count
    return numbers, sum(numbers.values()) >= MOST_COUNTED
