"""Asks pages and says how long each took, for `tests.bench.pages`, which tells it by lines on its standard input.

One process for each database and admin, so that the portal's and Django's own stand side by side unmixed.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

PEOPLE = {"administrator": "root", "marketing": "lili"}
WEEK_BEFORE = timedelta(days=120)  # the week of the date filter ends so long before the last day


def answer(admin: str) -> None:
    """Read lines of page and person until the end; write a line of milliseconds, or of queries, for each."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    clients = {}
    for person, username in PEOPLE.items():
        clients[person] = Client(headers={"accept-language": "zh-hans"})
        clients[person].force_login(
            User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend"
        )
    addresses: dict[tuple[str, str], str] = {}
    for line in sys.stdin:
        page, person, explain = json.loads(line)
        if (page, person) not in addresses:
            addresses[page, person] = ADDRESSES[admin][page](person)
        address = addresses[page, person]
        if explain:
            with CaptureQueriesContext(connection) as queries:
                response = clients[person].get(address)
            said: dict[str, Any] = {"address": address, "queries": [(q["time"], q["sql"]) for q in queries]}
        else:
            begun = time.perf_counter()
            response = clients[person].get(address)
            said = {"ms": (time.perf_counter() - begun) * 1000}
        if response.status_code != 200:
            raise SystemExit(f"{address}: {response.status_code}")
        print(json.dumps(said | {"bytes": len(response.content)}), flush=True)


def _portal(**asked: Any) -> Callable[[str], str]:
    return lambda person: _address(**{name: value() if callable(value) else value for name, value in asked.items()})


def _address(**asked: Any) -> str:
    return "/admin/coupons/issuedcoupon/?" + urlencode({name: str(value) for name, value in asked.items()})


def _in_the_middle(back: int = 0) -> Any:
    """A coupon amid the list of one of the marketing person's merchants."""
    from coupons.models import IssuedCoupon

    ends = IssuedCoupon.objects.order_by("id").values_list("id", flat=True)
    middle = (ends[0] + ends.reverse()[0]) // 2
    merchant = _merchant()
    return (
        IssuedCoupon.objects.filter(id__lte=middle, merchant=merchant).order_by("-id").select_related("customer")[back]
    )


def _code() -> str:
    return str(_in_the_middle().code)


def _mobile() -> str:
    return str(_in_the_middle().customer.mobile)


def _merchant() -> int:
    """The middle one of those of the marketing person."""
    from merchants.models import Merchant

    return int(Merchant.objects.order_by("pk").values_list("pk", flat=True)[1])


def _week() -> tuple[date, date]:
    from tests.bench.sizes import days

    last = days()[1] - WEEK_BEFORE
    return last - timedelta(days=6), last


def _next(person: str) -> str:
    """The first page's own link."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(username=PEOPLE[person]), backend="django.contrib.auth.backends.ModelBackend")
    found = re.search(r'href="\?(after=[0-9]+)" rel="next"', client.get(_address()).content.decode())
    assert found
    return _address() + found[1]


def _deep(person: str) -> str:
    return _address(after=_in_the_middle().pk)


def _stock_deep(person: str) -> str:
    from coupons.models import IssuedCoupon

    return _address(p=IssuedCoupon.objects.count() // 2 // 50)


def _stock_week(person: str) -> str:
    from merchants.clock import day_start

    first, last = _week()
    return _address(issued_at__gte=day_start(first), issued_at__lt=day_start(last + timedelta(days=1)))


ADDRESSES: dict[str, dict[str, Callable[[str], str]]] = {
    "portal": {
        "list": _portal(),
        "next page": _next,
        "page amid the list": _deep,
        "exact code": _portal(q=_code),
        "mobile": _portal(q=_mobile),
        "status filter": _portal(status__exact="expired"),
        "merchant filter": _portal(merchant__id__exact=_merchant),
        "date filter": _portal(issued_at_from=lambda: _week()[0], issued_at_to=lambda: _week()[1]),
        "home": lambda person: "/admin/",
    },
    "stock": {
        "list": _portal(),
        "next page": _portal(p=2),
        "page amid the list": _stock_deep,
        "exact code": _portal(q=_code),
        "mobile": _portal(q=_mobile),
        "status filter": _portal(status__exact="expired"),
        "merchant filter": _portal(merchant__id__exact=_merchant),
        "date filter": _stock_week,
    },
}


def main() -> None:
    """Set Django up for the admin that is named, and answer."""
    import logging

    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    answer(sys.argv[1])


if __name__ == "__main__":
    main()
