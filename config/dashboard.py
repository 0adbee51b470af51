"""The first page: what there is, what happened today and what waits for staff, for the merchants one may see.

Every card leads to exactly the rows that it counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.navigation import may_view, sandbox_links, visible_rows_of
from coupons.admin.wording import moment_text
from coupons.choices import CouponStatus, Delivery, TemplateStatus
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.admin.wording import stop_notice
from integrations.models import AccountState, DfireCallback, Incident, OutboxRow
from integrations.models.alerts import IncidentKind, Severity
from integrations.models.inbox import UNSETTLED_STATES
from integrations.models.outbox import RowState
from merchants.admin.base import is_administrator
from merchants.clock import day_start, local_day
from merchants.models import DfireAccount, Merchant
from merchants.scopes import visible_merchants

MOST_INCIDENTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A number and its words; `query` finds its rows in the model's list. `worry`: it should be nought."""

    title: Any
    icon: str
    model: type[Model]
    query: dict[str, str]
    narrow: Callable[[QuerySet[Any]], QuerySet[Any]]
    worry: bool = False

    def shown_to(self, request: HttpRequest) -> dict[str, Any] | None:
        """The card with its number, if the user may see the rows."""
        meta = self.model._meta
        if not may_view(f"{meta.app_label}.{meta.model_name}")(request):
            return None
        count = self.narrow(visible_rows_of(self.model, request)).order_by().count()
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
        return {
            "title": self.title,
            "icon": self.icon,
            "count": count,
            "link": f"{address}?{urlencode(self.query)}",
            "worry": self.worry and count > 0,
        }


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the first page shows to its context (Unfold's DASHBOARD_CALLBACK)."""
    shown = [card.shown_to(request) for card in _cards(local_day(timezone.now()))]
    context["title"] = _("Overview")
    context["cards"] = [card for card in shown if card]
    context["stopped_accounts"] = _stopped(request)
    context["incidents"] = _incidents(request)
    context["first_steps"] = _first_steps(request)
    context["sandbox_links"] = sandbox_links() if settings.DFIRE_SANDBOX else []
    return context


def _cards(today: date) -> list[Card]:
    start: datetime = day_start(today)
    return [
        Card(
            title=_("Published templates"), icon="local_activity", model=CouponTemplate,
            query={"status__exact": TemplateStatus.PUBLISHED.value},
            narrow=lambda rows: rows.filter(status=TemplateStatus.PUBLISHED),
        ),
        Card(
            title=_("Issued today"), icon="confirmation_number", model=IssuedCoupon, query=_on("issued_at", today),
            narrow=lambda rows: rows.filter(issued_at__gte=start),
        ),
        Card(
            title=_("Redeemed today"), icon="point_of_sale", model=IssuedCoupon, query=_on("redeemed_at", today),
            narrow=lambda rows: rows.filter(redeemed_at__gte=start),
        ),
        Card(
            title=_("Waiting for binding"), icon="hourglass_empty", model=IssuedCoupon,
            query={"delivery__exact": Delivery.WAITING.value, "status__exact": CouponStatus.ISSUED.value},
            narrow=lambda rows: rows.filter(delivery=Delivery.WAITING, status=CouponStatus.ISSUED),
        ),
        Card(
            title=_("Failed in the outbox"), icon="error", model=OutboxRow, worry=True,
            query={"state__exact": RowState.DEAD.value},
            narrow=lambda rows: rows.filter(state=RowState.DEAD),
        ),
        Card(
            title=_("Open in the inbox"), icon="inbox", model=DfireCallback, worry=True,
            query={"open": "yes"},
            narrow=lambda rows: rows.filter(state__in=UNSETTLED_STATES),
        ),
    ]  # fmt: skip


def _on(field: str, day: date) -> dict[str, str]:
    """The query of the filter by days, for one day."""
    return {f"{field}_from": day.isoformat(), f"{field}_to": day.isoformat()}


def _stopped(request: HttpRequest) -> list[dict[str, Any]]:
    """Accounts that dfire refuses: staff see those of their merchants, administrators may mend them."""
    states = AccountState.objects.filter(stopped_at__isnull=False).select_related("account")
    mends = is_administrator(request)
    if not mends:
        states = states.filter(account__merchants__in=visible_merchants(request.user)).distinct()
    return [
        {
            "name": state.account.name,
            "words": stop_notice(state),
            "link": reverse("admin:merchants_dfireaccount_change", args=[state.account_id]) if mends else "",
        }
        for state in states
    ]


def _incidents(request: HttpRequest) -> dict[str, Any]:
    """What is the matter; stopped accounts have a strip of their own, which says more."""
    if not may_view("integrations.incident")(request):
        return {}
    found = visible_rows_of(Incident, request).filter(closed_at=None).exclude(kind=IncidentKind.ACCOUNT_STOPPED)
    worst = list(found.order_by("-severity", "-opened_at")[: MOST_INCIDENTS + 1])
    return {
        "shown": [
            {
                "kind": incident.get_kind_display(),
                "about": incident.merchant or incident.account,
                "since": moment_text(incident.opened_at),
                "link": reverse("admin:integrations_incident_change", args=[incident.pk]),
            }
            for incident in worst[:MOST_INCIDENTS]
        ],
        "more": f"{reverse('admin:integrations_incident_changelist')}?open=yes" if len(worst) > MOST_INCIDENTS else "",
        "critical": any(incident.severity == Severity.CRITICAL for incident in worst),
    }


def _first_steps(request: HttpRequest) -> list[dict[str, Any]]:
    """What to do first, while there is no template."""
    if visible_rows_of(CouponTemplate, request).exists():
        return []
    steps: list[tuple[type[Model], Any, bool]] = [
        (DfireAccount, _("Connect an account of dfire"), DfireAccount.objects.exists()),
        (Merchant, _("Add a merchant and its shops"), visible_merchants(request.user).exists()),
        (CouponTemplate, _("Add a coupon template and publish it"), False),
    ]
    user: Any = request.user
    return [
        {"title": title, "done": done, "link": reverse(f"admin:{meta.app_label}_{meta.model_name}_add")}
        for model, title, done in steps
        if user.has_perm(f"{(meta := model._meta).app_label}.add_{meta.model_name}")
    ]
