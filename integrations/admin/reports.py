"""Consume reports: which redeemed coupons the platforms have been told of, and what to do about the rest."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from integrations.consume import lanes
from integrations.consume.writing import REPORT_TASK
from integrations.models import ConsumeReport, ReportLane
from integrations.models.reports import ReportState
from integrations.outbox import doorbell
from merchants.admin.badges import Variant, badge, mono, page_of
from merchants.admin.base import AdministratorsOnly, BigTable, PortalAdmin, ReadOnly, ScopedAdmin
from merchants.admin.dialogs import MOST_AT_ONCE, dialog, go_to
from merchants.admin.filters import OwnRelatedFilter
from merchants.admin.masking import masked_text
from merchants.admin.noting import note

REPORT_VARIANTS: dict[str, Variant] = {
    ReportState.QUEUED: "info",
    ReportState.DONE: "success",
    ReportState.DEAD: "danger",
}
_ADVICE = {
    "VA01": _("The platform does not take the report as it is."),
    "SE01": _("The platform has it already."),
    "SE02": _("The platform knows no such coupon. Was its rule deleted there?"),
    "SE03": _("The platform refuses app_id and app_secret. Enter them anew at the smart-coupon account."),
    "SE04": _("The platform says that this coupon belongs to another account."),
    "SE05": _("The platform has an error of its own. It is tried again."),
    "SE06": _("The platform is still calculating. It is tried again."),
}


def said(code: str, message: str) -> str:
    """What the platform said, in words where its code is known."""
    words = [str(_ADVICE.get(code, "")), masked_text(" ".join(word for word in (code, message) if word))]
    return " · ".join(word for word in words if word)


def report_trouble(report: ConsumeReport) -> str:
    """What keeps a report from being done."""
    if report.state == ReportState.DONE:
        return ""
    lane = getattr(report.account, "report_lane", None)
    if report.state == ReportState.QUEUED and lane is not None and lane.stopped_at is not None:
        return said(lane.code, lane.message)
    return said(report.code, report.message)


@admin.register(ConsumeReport)
class ConsumeReportAdmin(ReadOnly, BigTable, ScopedAdmin):
    """Reports are the portal's; staff retry the failed ones."""

    merchant_path = "coupon__merchant"
    list_display = ["code_shown", "account", "state_shown", "trouble_shown", "tries", "created_at", "settled_at"]
    list_select_related = ["coupon", "account__report_lane"]
    list_filter = [("state", ChoicesDropdownFilter), ("account", OwnRelatedFilter)]
    search_fields = ["coupon__code__exact"]
    search_help_text = _("Coupon code")
    ordering = ["-id"]
    fields = [
        "trouble_shown", ("coupon_shown", "account"), ("state_shown", "tries"), ("created_at", "sent_at"),
        ("available_at", "settled_at"),
    ]  # fmt: skip
    readonly_fields = [
        "trouble_shown", "coupon_shown", "account", "state_shown", "tries", "created_at", "sent_at", "available_at",
        "settled_at",
    ]  # fmt: skip
    actions = ["retry_selected"]
    actions_detail = ["retry_one"]
    empty_hint = _("Redeemed coupons stand here whose platform wants to be told (“Consume reports” at its account).")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A failed one alone can be retried."""
        failed = self.visible_or_404(request, object_id).state == ReportState.DEAD
        return list(super().get_actions_detail(request, object_id)) if failed else []

    @action(
        description=_("Retry"), url_path="retry", permissions=["repair"], icon="replay",
        dialog=dialog(_("Report this again?"), _("First mend what its message names."), _("Retry")),
    )  # fmt: skip
    def retry_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Queue the report again."""
        report = self.visible_or_404(request, object_id)
        self._retry(request, ConsumeReport.objects.filter(pk=report.pk))
        return go_to(request, report)

    @admin.action(description=_("Retry the selected"), permissions=["repair"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[ConsumeReport]) -> None:
        """Queue failed reports again."""
        chosen = list(queryset.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
        self._retry(request, ConsumeReport.objects.filter(pk__in=chosen))

    def has_repair_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may retry."""
        return request.user.has_perm("integrations.change_consumereport")

    @staticmethod
    def _retry(request: HttpRequest, reports: QuerySet[ConsumeReport]) -> None:
        with transaction.atomic():
            taken = lanes.retry(reports)
            for report in ConsumeReport.objects.filter(pk__in=taken).select_related("coupon__customer"):
                note(request, report, _("Queued again."))
        if done := len(taken):
            doorbell.ring(REPORT_TASK)
            words = ngettext("%(count)s report is queued again.", "%(count)s reports are queued again.", done)
            messages.success(request, words % {"count": done})
        else:
            messages.warning(request, gettext("Nothing to do: none of them has failed."))

    @display(description=_("coupon"))
    def code_shown(self, report: ConsumeReport) -> str:
        """The coupon's code, which leads to the report."""
        return mono(report.coupon.code)

    @display(description=_("coupon"))
    def coupon_shown(self, report: ConsumeReport) -> str:
        """The coupon, with a link to it."""
        return page_of(report.coupon)

    @display(description=_("state"))
    def state_shown(self, report: ConsumeReport) -> str:
        """Where it is."""
        return badge(report.get_state_display(), REPORT_VARIANTS.get(report.state, "default"))

    @display(description=_("trouble"))
    def trouble_shown(self, report: ConsumeReport) -> str:
        """What keeps it from being done."""
        return report_trouble(report) or "-"


@admin.register(ReportLane)
class ReportLaneAdmin(ReadOnly, AdministratorsOnly, PortalAdmin):
    """How it goes with each account's reports."""

    list_display = ["account", "stopped_at", "code", "message", "failures", "next_at"]
    list_select_related = ["account"]
    ordering = ["account"]
    fields = ["account", "stopped_at", "code", "message", "failures", "next_at", "lease_until"]
    readonly_fields = fields
