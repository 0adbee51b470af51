"""The sidebar: what staff work with every day first, what administrators set up once below it.

Badges count what waits for staff, and stop counting at 99.
"""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from coupons.approvals import lapsing
from coupons.models import Approval
from integrations.admin.signature_tool import TOOL, may_use
from integrations.models import DfireCallback, Finding, Incident, OutboxRow
from integrations.models.inbox import UNSETTLED_STATES
from integrations.models.outbox import RowState
from integrations.models.reconcile import FindingState, RunState
from merchants.admin.base import is_administrator, visible_rows
from merchants.rights import APPROVE, has_right

MOST_COUNTED = 99

Item = dict[str, Any]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar for this user; Unfold hides items without permission and groups without items."""
    groups = [
        _group(
            "",
            [{"title": _("Overview"), "icon": "home", "link": reverse("admin:index"), "permission": _always}],
        ),
        _group(
            _("Coupons"),
            [
                _item(_("Coupon templates"), "local_activity", "coupons.coupontemplate"),
                _item(_("Issued coupons"), "confirmation_number", "coupons.issuedcoupon", but="why/"),
                _item(_("Batches"), "library_add", "coupons.batch"),
                _item(_("Approvals"), "approval", "coupons.approval", badge=approval_badge(request)),
                _item(_("Customers"), "groups", "merchants.customer"),
                _item(_("Customer files"), "upload_file", "merchants.customerfile"),
                {**_item(_("Settlement"), "receipt_long", "coupons.issuedcoupon"), "link": reverse("settlement")},
                _item(_("Erasures"), "person_remove", "merchants.erasure"),
                _item(_("Why can it not be used?"), "help", "coupons.issuedcoupon", page="why"),
            ],
        ),
        _group(
            _("Merchants"),
            [
                _item(_("Merchants"), "storefront", "merchants.merchant"),
                _item(_("All shops"), "location_on", "merchants.shop"),
            ],
        ),
        _group(
            _("In and out"),
            [
                _item(_("Incidents"), "notifications_active", "integrations.incident", badge=incident_badge(request)),
                _item(_("Outbox"), "outbox", "integrations.outboxrow", badge=failed_badge(request)),
                _item(_("Inbox"), "inbox", "integrations.dfirecallback", badge=open_badge(request)),
                _item(_("Comparisons"), "compare_arrows", "integrations.reconciliation", badge=drift_badge(request)),
                _item(_("Pushes"), "move_to_inbox", "integrations.push"),
                _item(_("Consume reports"), "outgoing_mail", "integrations.consumereport"),
                _item(_("Partners' orders"), "shopping_cart_checkout", "integrations.partnerorder"),
                _item(_("Webhook deliveries"), "webhook", "integrations.webhookdelivery"),
                _item(_("API calls"), "api", "integrations.apicall", but="signatures/"),
                {**_item(TOOL, "signature", "integrations.apicall", page="signatures"), "permission": may_use},
            ],
        ),
    ]
    groups += _administration()
    if is_administrator(request):
        groups += [_records(), *_sandbox()]
    return groups


def _administration() -> list[dict[str, Any]]:
    return [
        _group(
            _("Connections"),
            [
                _item(_("dfire accounts"), "hub", "merchants.dfireaccount"),
                _item(_("Smart-coupon accounts"), "campaign", "merchants.smartcouponaccount"),
                _item(_("Partner apps"), "extension", "integrations.partnerapp"),
                _item(_("Webhooks"), "webhook", "integrations.webhookendpoint"),
                _item(_("Alert targets"), "notifications", "integrations.alerttarget"),
            ],
        ),
        _group(
            _("Staff"),
            [
                _item(_("Users"), "person", "auth.user"),
                _item(_("Roles and groups"), "group", "auth.group"),
                _item(_("Sign-ins"), "login", "merchants.signin"),
                _item(_("Failed sign-ins"), "no_accounts", "merchants.failedsignin"),
                _item(_("Sign-in locks"), "lock_clock", "merchants.signinlock"),
                _item(_("Two-factor devices"), "phonelink_lock", "merchants.authenticator"),
                _item(_("Audit trail"), "manage_search", "merchants.auditentry"),
            ],
        ),
    ]


def _records() -> dict[str, Any]:
    return _group(
        _("Records"),
        [
            _item(_("Coupon events"), "history", "coupons.couponevent"),
            _item(_("Template versions"), "layers", "coupons.templateversion"),
            _item(_("Rows of batches"), "table_rows", "coupons.batchrow"),
            _item(_("Rows of customer files"), "table_rows", "merchants.customerfilerow"),
            _item(_("Parts of customer files"), "inventory_2", "merchants.customerfilepart"),
            _item(_("Done alone"), "person_check", "coupons.donealone"),
            _item(_("Replacements"), "published_with_changes", "coupons.reissue"),
            _item(_("Figures of days"), "bar_chart", "coupons.dayfigures"),
            _item(_("Figures rolled up"), "stacked_bar_chart", "coupons.rolledfigures"),
            _item(_("Calls to dfire"), "call_made", "integrations.outboxattempt"),
            _item(_("Notices"), "mark_email_read", "integrations.notice"),
            _item(_("States of accounts"), "monitor_heart", "integrations.accountstate"),
            _item(_("Remembered answers"), "repeat", "integrations.pushanswer"),
            _item(_("Answers of the API"), "replay", "integrations.apianswer"),
            _item(_("Lanes of consume reports"), "outgoing_mail", "integrations.reportlane"),
            _item(_("Used signatures"), "signature", "integrations.signatureseen"),
            _item(_("API keys"), "key", "integrations.apikey"),
            _item(_("Unknown codes"), "password", "integrations.unknowncodes"),
            _item(_("Calls to partners"), "call_made", "integrations.webhookattempt"),
            _item(_("Lanes of webhooks"), "monitor_heart", "integrations.webhooklane"),
            _item(_("Findings of comparisons"), "difference", "integrations.finding"),
            _item(_("Customers at risk"), "priority_high", "integrations.customeratrisk"),
            _item(_("Reads in flight"), "speed", "integrations.readsinflight"),
            _item(_("Merchant scopes"), "visibility", "merchants.merchantscope"),
        ],
        folded=True,
    )


def _sandbox() -> list[dict[str, Any]]:
    if not settings.DFIRE_SANDBOX:
        return []
    return [_group(_("Sandbox"), [{**link, "permission": _always} for link in sandbox_links()])]


def sandbox_links() -> list[Item]:
    """The pages of the dfire sandbox."""
    base = settings.SANDBOX_URL
    return [
        {"title": _("Sandbox till"), "icon": "point_of_sale", "link": f"{base}/till/"},
        {"title": _("Sandbox platform"), "icon": "science", "link": f"{base}/platform/"},
    ]


def failed_badge(request: HttpRequest) -> str:
    """How many outbox rows have failed."""
    return _counted(visible_rows_of(OutboxRow, request).filter(state=RowState.DEAD))


def open_badge(request: HttpRequest) -> str:
    """How many callbacks are open."""
    return _counted(visible_rows_of(DfireCallback, request).filter(state__in=UNSETTLED_STATES))


def incident_badge(request: HttpRequest) -> str:
    """How many incidents are open."""
    return _counted(visible_rows_of(Incident, request).filter(closed_at=None))


def approval_badge(request: HttpRequest) -> str:
    """How many requests wait for a second person that this user may be."""
    if not has_right(request.user, APPROVE):
        return ""
    own = {"requested_by": request.user.pk}
    return _counted(visible_rows_of(Approval, request).filter(pk__in=lapsing.waiting().exclude(**own)))


def drift_badge(request: HttpRequest) -> str:
    """How many differences are to be decided about."""
    plans = {"state": FindingState.OPEN, "run__state__in": [RunState.PLANNED, RunState.NEEDS_CONFIRMATION]}
    return _counted(visible_rows_of(Finding, request).filter(**plans))


def visible_rows_of(model: Any, request: HttpRequest) -> QuerySet[Any]:
    """The rows that the user may see, by the rules of the model's own pages."""
    from django.contrib import admin  # the site's registry is filled after this module has been imported

    rows = visible_rows(admin.site, model, request)
    assert rows is not None, f"{model} has no page of its own"  # nosec B101 # a mistake in this file
    return rows


def may_view(model: str) -> Callable[[HttpRequest], bool]:
    """A check of whether the user may see the pages of a model (`app.model`)."""
    app, name = model.split(".")

    def check(request: HttpRequest) -> bool:
        from django.contrib import admin  # as above

        return bool(admin.site._registry[apps.get_model(app, name)].has_view_or_change_permission(request))

    return check


def _counted(rows: QuerySet[Any]) -> str:
    count = rows.order_by()[: MOST_COUNTED + 1].count()
    if not count:
        return ""
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count)


def _always(request: HttpRequest) -> bool:
    return True


def _item(title: Any, icon: str, model: str, *, badge: str = "", page: str = "changelist", but: str = "") -> Item:
    """A page of a model. `but` is a page below it that has an item of its own, and is not marked as this one."""
    link = reverse(f"admin:{model.replace('.', '_')}_{page}")
    item: Item = {"title": title, "icon": icon, "link": link, "permission": may_view(model)}
    if but:
        item["active"] = lambda request: link in request.path and request.path != f"{link}{but}"
    return {**item, "badge": badge, "badge_variant": "danger"} if badge else item


def _group(title: Any, items: list[Item], *, folded: bool = False) -> dict[str, Any]:
    return {"title": title, "items": items, "collapsible": folded, "separator": bool(title)}
