"""Comparisons with dfire: their progress, the plan by classes, and the findings to decide about."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from integrations.admin.reconcile_actions import FindingActions, RunActions
from integrations.admin.reconcile_wording import (
    FINDING_VARIANTS,
    MEANINGS,
    RUN_VARIANTS,
    here,
    percent,
    there,
    trouble,
)
from integrations.models import CustomerAtRisk, Finding, ReadsInFlight, Reconciliation
from integrations.models.reconcile import Drift, FindingState, RunState
from integrations.reconcile.words import describe
from merchants.admin.badges import badge, mono, notice, page_of
from merchants.admin.base import AdministratorsOnly, BigTable, PortalAdmin, ReadOnly, ScopedAdmin
from merchants.admin.filters import OwnRelatedFilter
from merchants.admin.masking import masked_text


@admin.register(Reconciliation)
class ReconciliationAdmin(RunActions, ReadOnly, ScopedAdmin):
    """Comparisons, the newest first."""

    list_display = ["created_at", "merchant", "mode", "state_shown", "open_shown", "progress_words", "started_shown"]
    list_display_links = ["created_at"]
    list_select_related = ["merchant", "started_by"]
    list_filter = [("merchant", OwnRelatedFilter), ("state", ChoicesDropdownFilter)]
    ordering = ["-id"]
    fields = [
        "notices_shown", ("state_shown", "progress_shown"), "plan_shown",
        ("merchant", "mode"), ("started_shown", "created_at"), ("finished_at", "confirmed_shown"),
        ("customers_done", "moving"), ("lists_unread", "outstanding"),
    ]  # fmt: skip
    readonly_fields = [
        "notices_shown", "state_shown", "progress_shown", "plan_shown", "merchant", "mode", "started_shown",
        "created_at", "finished_at", "confirmed_shown", "customers_done", "moving", "lists_unread", "outstanding",
    ]  # fmt: skip
    empty_hint = _("Press “Compare with dfire” on a merchant's page. Every night it is done by itself.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reconciliation]:
        """With the number of open findings."""
        open_ones = Count("findings", filter=Q(findings__state=FindingState.OPEN))
        return super().get_queryset(request).annotate(open_counted=open_ones)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Boxes stand where there is reason for them."""
        return self.fields if obj is not None and _notices(obj) else self.fields[1:]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page; its progress asks for it again while it runs, and for all of it once it does not."""
        if request.headers.get("HX-Request"):
            run = self.visible_or_404(request, object_id)
            if run.state != RunState.RUNNING:
                return HttpResponse(headers={"HX-Refresh": "true"})
        return super().change_view(request, object_id, *args, **kwargs)

    @display(description=_("state"), ordering="state")
    def state_shown(self, run: Reconciliation) -> str:
        """The state as a badge."""
        return badge(run.get_state_display(), RUN_VARIANTS.get(run.state, "default"), hint=trouble(run))

    @display(description=_("open findings"), ordering="open_counted")
    def open_shown(self, run: Any) -> str:
        """How many findings are open, with a link to them."""
        if not run.open_counted:
            return "0"
        link = '<a href="{}?run__id__exact={}&state__exact=open" class="text-link">{}</a>'
        return format_html(link, _findings(), run.pk, run.open_counted)

    @display(description=_("customers"))
    def progress_words(self, run: Reconciliation) -> str:
        """How many of how many."""
        return f"{run.customers_done} / {max(run.customers_total, run.customers_done)}"

    @display(description=_("started by"))
    def started_shown(self, run: Reconciliation) -> str:
        """Who began it."""
        return str(run.started_by) if run.started_by else gettext("the nightly run")

    @display(description=_("confirmed"))
    def confirmed_shown(self, run: Reconciliation) -> str:
        """Who took the plan's size upon them."""
        return f"{run.confirmed_by} · {run.confirmed_at:%Y-%m-%d %H:%M}" if run.confirmed_at else "-"

    @display(description=_("progress"))
    def progress_shown(self, run: Reconciliation) -> str:
        """A bar that moves while it runs."""
        return render_to_string(
            "admin/integrations/reconciliation/progress.html",
            {"run": run, "words": self.progress_words(run), "runs": run.state == RunState.RUNNING},
        )

    @display(description=_("the plan"))
    def plan_shown(self, run: Reconciliation) -> str:
        """The classes with their numbers, each a link to its findings."""
        counted = Finding.objects.filter(run=run).order_by().values_list("kind", "state").annotate(count=Count("pk"))
        table: dict[str, dict[str, int]] = {}
        for kind, state, count in counted:
            table.setdefault(kind, {})[state] = count
        states = [state for state in FindingState if any(state in row for row in table.values())]
        rows = [
            {
                "kind": kind,
                "label": kind.label,
                "meaning": MEANINGS[kind],
                "counts": [(state, table[kind].get(state, 0)) for state in states],
            }
            for kind in Drift
            if kind in table
        ]
        context = {"run": run, "rows": rows, "states": states, "address": _findings()}
        return render_to_string("admin/integrations/reconciliation/plan.html", context)

    @display(description=_("for you to decide"))
    def notices_shown(self, run: Reconciliation) -> str:
        """What is the matter with it."""
        return _notices(run)


@admin.register(Finding)
class FindingAdmin(FindingActions, ReadOnly, BigTable, ScopedAdmin):
    """Single findings; reached from a comparison's page."""

    merchant_path = "run__merchant"
    list_display = ["subject_shown", "kind_shown", "here_shown", "there_shown", "repair_shown", "state_shown"]
    list_display_links = ["subject_shown"]
    list_select_related = ["coupon", "template", "run__merchant", "decided_by", "customer"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("run__merchant", OwnRelatedFilter),
    ]
    search_fields = ["subject__exact"]
    search_help_text = _("Coupon code or promotion ID")
    ordering = ["-id"]
    fields = [
        ("kind_shown", "state_shown"), "meaning_shown", ("about_shown", "customer_shown"),
        ("here_shown", "there_shown"), ("repair_shown", "decided_shown"), ("run_shown", "read_at"),
    ]  # fmt: skip
    readonly_fields = [
        "kind_shown", "state_shown", "meaning_shown", "about_shown", "customer_shown", "here_shown", "there_shown",
        "repair_shown", "decided_shown", "run_shown", "read_at",
    ]  # fmt: skip
    empty_hint = _("Nothing differs, as far as has been compared.")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """A comparison's page links to its own findings."""
        return lookup == "run__id__exact" or super().lookup_allowed(lookup, value, request)

    @display(description=_("coupon or promotion"))
    def subject_shown(self, finding: Finding) -> str:
        """The code or the promotion ID."""
        return mono(finding.subject)

    @display(description=_("what differs"), ordering="kind")
    def kind_shown(self, finding: Finding) -> str:
        """The class."""
        return finding.get_kind_display()

    @display(description=_("what it means"))
    def meaning_shown(self, finding: Finding) -> str:
        """The class in a sentence."""
        return str(MEANINGS[finding.kind])

    @display(description=_("here"))
    def here_shown(self, finding: Finding) -> str:
        """Our side."""
        return here(finding)

    @display(description=_("at dfire"))
    def there_shown(self, finding: Finding) -> str:
        """dfire's side."""
        return there(finding)

    @display(description=_("suggested repair"), ordering="repair")
    def repair_shown(self, finding: Finding) -> str:
        """What mends it."""
        return finding.get_repair_display() or gettext("none: only to be accepted")

    @display(description=_("state"), ordering="state")
    def state_shown(self, finding: Finding) -> str:
        """What has been decided, and why not more."""
        label = badge(finding.get_state_display(), FINDING_VARIANTS.get(finding.state, "default"))
        words = masked_text(describe(finding.message))
        return format_html('{} <span class="portal-hint">{}</span>', label, words) if words else label

    @display(description=_("about"))
    def about_shown(self, finding: Finding) -> str:
        """The coupon or the template."""
        return page_of(finding.coupon or finding.template, finding.subject)

    @display(description=_("customer asked about"))
    def customer_shown(self, finding: Finding) -> str:
        """In whose list it was or should have been."""
        return page_of(finding.customer)

    @display(description=_("decided"))
    def decided_shown(self, finding: Finding) -> str:
        """Who and when."""
        if finding.decided_at is None:
            return "-"
        who = str(finding.decided_by) if finding.decided_by else gettext("the portal")
        return f"{who} · {finding.decided_at.astimezone():%Y-%m-%d %H:%M}"

    @display(description=_("comparison with dfire"))
    def run_shown(self, finding: Finding) -> str:
        """A link to the comparison."""
        return page_of(finding.run)


@admin.register(CustomerAtRisk)
class CustomerAtRiskAdmin(ReadOnly, AdministratorsOnly, BigTable, PortalAdmin):
    """Whom running comparisons ask about first."""

    list_display = ["run", "customer"]
    list_select_related = ["run__merchant", "customer"]
    ordering = ["-id"]


@admin.register(ReadsInFlight)
class ReadsInFlightAdmin(ReadOnly, AdministratorsOnly, PortalAdmin):
    """What comparisons have in flight."""

    list_display = ["account", "calls", "until"]
    list_select_related = ["account"]
    ordering = ["-until"]


def _findings() -> str:
    return reverse("admin:integrations_finding_changelist")


def _notices(run: Reconciliation) -> str:
    if run.state == RunState.NEEDS_CONFIRMATION:
        words = gettext(
            "This plan would take back %(taken)s of %(all)s coupons outstanding at dfire (%(percent)s%%). "
            "Nothing is repaired until somebody confirms that."
        )
        numbers = {"taken": run.withdrawals, "all": run.outstanding, "percent": percent(run)}
        return notice(words % numbers, "danger")
    said = trouble(run)
    return notice(said, "danger" if run.state == RunState.FAILED else "warning") if said else ""
