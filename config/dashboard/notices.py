"""What stands above the numbers: accounts that dfire refuses, open incidents, what to do first in an empty portal."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.navigation import approval_badge, may_view, visible_rows_of
from coupons.admin.wording import moment_text
from coupons.choices import ApprovalState
from coupons.models import CouponTemplate
from integrations.admin.wording import stop_notice
from integrations.models import AccountState, Incident
from integrations.models.alerts import IncidentKind, Severity
from merchants.admin.base import is_administrator
from merchants.models import DfireAccount, Merchant
from merchants.scopes import visible_merchants

MOST_INCIDENTS = 5


def stopped_accounts(request: HttpRequest) -> list[dict[str, Any]]:
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


def incidents(request: HttpRequest) -> dict[str, Any]:
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


def approvals(request: HttpRequest) -> dict[str, str]:
    """How many requests wait for this user's word; nothing for those who may not decide."""
    count = approval_badge(request)
    waiting = f"{reverse('admin:coupons_approval_changelist')}?state__exact={ApprovalState.WAITING}"
    return {"count": count, "link": waiting} if count else {}


def first_steps(request: HttpRequest) -> list[dict[str, Any]]:
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
