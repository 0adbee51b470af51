"""What waits: coupons for their customer's openid, the outbox for dfire, the inbox for staff."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext_lazy as _

from config.dashboard.choice import Choice
from config.dashboard.numbers import Line, counted, list_of
from config.navigation import may_view, visible_rows_of
from coupons import reports
from coupons.choices import CouponStatus, Delivery
from coupons.models import IssuedCoupon
from integrations.models import DfireCallback, OutboxRow
from integrations.models.inbox import UNSETTLED_STATES
from integrations.models.outbox import RowState
from merchants.admin.badges import page_of

SOON_DAYS = (3, 7)
_SYNC = {
    RowState.QUEUED: _("Queued"),
    RowState.WAITING: _("Waiting for an openid or an account"),
    RowState.DEAD: _("Failed"),
}


def waiting(request: HttpRequest, choice: Choice) -> list[Line]:
    """Coupons that no till takes yet: those that run out within days, and all of them."""
    if not may_view("coupons.issuedcoupon")(request) or not choice.keys:
        return []
    own = IssuedCoupon.objects.filter(merchant__in=choice.keys)
    query = {
        "delivery__exact": Delivery.WAITING.value, "status__exact": CouponStatus.ISSUED.value, **choice.of_merchant()
    }  # fmt: skip
    lines = []
    for days in SOON_DAYS:
        ahead = reports.days_ahead(choice.today, days)
        until = {"valid_until_from": ahead.first.isoformat(), "valid_until_to": ahead.last.isoformat()}
        lines.append(
            Line(
                title=_("run out within {days} days").format(days=days),
                count=counted(reports.waiting_that_end(own, ahead)),
                link=list_of(IssuedCoupon, {**query, **until}),
                worry=True,
            )
        )
    everything = Line(title=_("wait in all"), count=counted(reports.waiting(own)), link=list_of(IssuedCoupon, query))
    return [*lines, everything]


def sync(request: HttpRequest, choice: Choice) -> dict[str, Any]:
    """How far dfire is behind: rows by state, and for how long the oldest has been queued."""
    if not may_view("integrations.outboxrow")(request) or not choice.keys:
        return {}
    own = OutboxRow.objects.filter(merchant__in=choice.keys)
    queued = [own.filter(state=RowState.QUEUED, held=held) for held in (False, True)]  # an index of each
    counts = {
        RowState.QUEUED: sum(map(counted, queued)),
        RowState.WAITING: counted(own.filter(state=RowState.WAITING)),
        RowState.DEAD: counted(own.filter(state=RowState.DEAD)),
    }
    lines = [
        Line(title=title, count=counts[state], link=list_of(OutboxRow, {**_state(state), **choice.of_merchant()}),
             worry=state is RowState.DEAD)
        for state, title in _SYNC.items()
    ]  # fmt: skip
    return {"lines": lines, "oldest": _oldest(queued) if counts[RowState.QUEUED] else None}


def _state(state: RowState) -> dict[str, str]:
    return {"state__exact": state.value}


def _oldest(queued: list[QuerySet[OutboxRow]]) -> dict[str, Any] | None:
    found = [row for rows in queued if (row := rows.order_by("queued_at").first()) is not None]
    if not found:
        return None
    row = min(found, key=lambda one: one.queued_at)
    return {"row": page_of(row), "since": timesince(row.queued_at, timezone.now(), depth=1)}


def inbox(request: HttpRequest, choice: Choice) -> Line | None:
    """Redemptions that staff may have to decide about."""
    if not may_view("integrations.dfirecallback")(request):
        return None
    rows = choice.narrowed(visible_rows_of(DfireCallback, request)).filter(state__in=UNSETTLED_STATES)
    query = {"open": "yes", **choice.of_merchant()}
    return Line(title=_("Open in the inbox"), count=counted(rows), link=list_of(DfireCallback, query), worry=True)
