"""What the pages of binding by file say of a plan: figures, samples, and the rows that are not done."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from coupons import binding
from merchants.admin.badges import mono, page_of
from merchants.admin.masking import sees_mobiles, shown
from merchants.bindings import Planned, Verdict
from merchants.models import Customer, Merchant
from merchants.models.customer import is_mobile

MOST_SHOWN = 50
_FIELDS = {"mobile": _("mobile"), "openid": _("openid")}


def plan_context(request: HttpRequest, merchant: Merchant, planned: list[Planned]) -> dict[str, Any]:
    """The figures and samples of a plan, for the page that asks."""
    of = {verdict: [one for one in planned if one.verdict == verdict] for verdict in Verdict}
    bad = bad_rows(of[Verdict.BAD])
    return {
        "merchant": merchant,
        "total": len(planned),
        "figures": [
            {"key": "new", "label": _("new customers"), "count": len(of[Verdict.NEW])},
            {"key": "change", "label": _("to be changed"), "count": len(of[Verdict.CHANGE])},
            {"key": "equal", "label": _("the same already"), "count": len(of[Verdict.EQUAL])},
            {"key": "bad", "label": _("not done"), "count": len(bad)},
        ],
        "going_out": _going_out(of[Verdict.CHANGE]),
        "bad": bad,
        "bad_shown": bad[:MOST_SHOWN],
        "changes": [_change(request, one) for one in of[Verdict.CHANGE][:MOST_SHOWN]],
        "changes_more": max(0, len(of[Verdict.CHANGE]) - MOST_SHOWN),
        "new": [one.entry for one in of[Verdict.NEW][:MOST_SHOWN]],
        "new_more": max(0, len(of[Verdict.NEW]) - MOST_SHOWN),
    }


def bad_rows(planned: Iterable[Planned]) -> list[list[Any]]:
    """Rows that are not done: number, what was typed, and why."""
    rows = [[one.entry.number, one.entry.identifier, one.entry.mobile, one.entry.openid, one.reason] for one in planned]
    return sorted(rows, key=lambda row: row[0])


def _change(request: HttpRequest, one: Planned) -> dict[str, Any]:
    """A customer with what gets a new value; what is stored is masked for those who may not see it.

    To them a mobile number does not lead to its customer either: thousands could be tried.
    """
    customer = one.customer
    hidden = is_mobile(one.entry.name) and not sees_mobiles(request)
    values = [
        {
            "label": _FIELDS[name],
            "before": _before(request, getattr(customer, name), hidden=hidden),
            "after": getattr(one.entry, name),
        }
        for name in one.changes
    ]
    named = mono(shown(request, one.entry.name)) if hidden else page_of(customer, mono(customer))
    return {"number": one.entry.number, "customer": named, "values": values}


def _before(request: HttpRequest, stored: str, *, hidden: bool) -> str:
    return "…" if hidden and stored else shown(request, stored)


def _going_out(changes: list[Planned]) -> int:
    """How many coupons wait for customers who will lack nothing any more."""
    complete = [one.customer.pk for one in changes if one.customer is not None and _is_complete(one.customer, one)]
    return sum(len(binding.waiting_for(complete[start : start + 1000])) for start in range(0, len(complete), 1000))


def _is_complete(customer: Customer, one: Planned) -> bool:
    return bool((one.entry.openid or customer.openid) and (one.entry.mobile or customer.mobile))
