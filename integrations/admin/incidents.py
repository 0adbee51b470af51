"""Incidents: what is the matter now, what was, and who was told of it. Written by the portal, looked at by staff."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from integrations.admin.filters import StillOpenFilter
from integrations.alerts.kinds import happened, page_of, what_to_do
from integrations.alerts.words import concerned
from integrations.models import Incident, Notice
from integrations.models.alerts import IncidentKind, NoticeState, Severity
from merchants.admin.badges import Variant, badge, notice
from merchants.admin.base import AdministratorsOnly, BigTable, ReadOnly, ReadOnlyInline, ScopedAdmin, is_administrator
from merchants.admin.filters import OwnRelatedFilter
from merchants.scopes import visible_merchants

NOTICE_VARIANTS: dict[str, Variant] = {
    NoticeState.QUEUED: "info",
    NoticeState.SENT: "success",
    NoticeState.FAILED: "danger",
}


def severity_badge(incident: Incident) -> str:
    """How bad it is; grey once it is over."""
    if incident.closed_at is not None:
        return badge(incident.get_severity_display())
    return badge(incident.get_severity_display(), "danger" if incident.severity == Severity.CRITICAL else "warning")


class NoticeColumns:
    """What lists of notices show."""

    @display(description=_("state"))
    def state_shown(self, sent: Notice) -> str:
        """The state as a badge."""
        return badge(sent.get_state_display(), NOTICE_VARIANTS.get(sent.state, "default"))


class NoticeInline(NoticeColumns, ReadOnlyInline):
    """Who was told of an incident, and what came back. For administrators: targets are theirs."""

    model = Notice
    fields = ["event", "target", "state_shown", "tries", "due_at", "settled_at", "outcome"]
    readonly_fields = fields
    verbose_name_plural = _("who was told")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators only."""
        return is_administrator(request)


@admin.register(Incident)
class IncidentAdmin(ReadOnly, BigTable, ScopedAdmin):
    """Open ones first."""

    list_display = ["kind_shown", "severity_shown", "about_shown", "happened_shown", "opened_at", "closed_shown"]
    list_display_links = ["kind_shown"]
    list_select_related = ["merchant", "account"]
    list_filter = [
        StillOpenFilter,
        ("kind", ChoicesDropdownFilter),
        ("severity", ChoicesDropdownFilter),
        ("merchant", OwnRelatedFilter),
    ]
    inlines = [NoticeInline]
    fields = [
        "notice_shown", ("kind", "severity_shown"), "concerned_shown", ("opened_at", "closed_at"), "times",
    ]  # fmt: skip
    readonly_fields = [
        "notice_shown", "kind", "severity_shown", "concerned_shown", "opened_at", "closed_at", "times",
    ]  # fmt: skip
    empty_hint = _("Nothing is the matter, and nothing ever was.")

    def in_scope(self, request: HttpRequest) -> Q:
        """Those of the user's merchants, and of the accounts that these use."""
        own = visible_merchants(request.user)
        return Q(merchant__in=own) | Q(merchant=None, account__in=own.values("dfire_account"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        """With what they are about."""
        return super().get_queryset(request).select_related("merchant", "account")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The incident, which remembers who looks at it."""
        incident = super().get_object(request, object_id, from_field)
        if incident is not None:
            incident.viewer = request
        return incident

    @display(description=_("what is the matter"), ordering="kind")
    def kind_shown(self, incident: Incident) -> str:
        """The kind."""
        return incident.get_kind_display()

    @display(description=_("severity"), ordering="severity")
    def severity_shown(self, incident: Incident) -> str:
        """The severity as a badge."""
        return severity_badge(incident)

    @display(description=_("about"))
    def about_shown(self, incident: Incident) -> str:
        """The merchant or the account."""
        return str(incident.merchant or incident.account or "-")

    @display(description=_("concerns"))
    def concerned_shown(self, incident: Any) -> str:
        """Whom it concerns, as far as the user may know them."""
        return concerned(incident) if is_administrator(incident.viewer) else self.about_shown(incident)

    @display(description=_("what has happened"))
    def happened_shown(self, incident: Incident) -> str:
        """The words, cut to a line."""
        words = happened(incident)
        return format_html('<span class="portal-clip" title="{}">{}</span>', words, words)

    @display(description=_("over since"), ordering="closed_at")
    def closed_shown(self, incident: Incident) -> Any:
        """When it was over, or that it is open."""
        return incident.closed_at or badge(_("still open"), "danger")

    @display(description=_("what to do"))
    def notice_shown(self, incident: Any) -> str:
        """What has happened, what to do about it, and a link to where; accounts are administrators' alone."""
        if incident.closed_at is not None:
            return notice(format_html("{}<br>{}", happened(incident), _("It is over.")), "info")
        mends = incident.kind != IncidentKind.ACCOUNT_STOPPED or is_administrator(incident.viewer)
        page = page_of(incident) if mends else ""
        link = format_html('<p><a href="{}" class="text-link">{}</a></p>', page, _("Go there")) if page else ""
        said = format_html("<strong>{}</strong><br>{}{}", happened(incident), what_to_do(incident), link)
        return notice(said, "danger" if incident.severity == Severity.CRITICAL else "warning")


@admin.register(Notice)
class NoticeAdmin(NoticeColumns, ReadOnly, AdministratorsOnly, BigTable, ScopedAdmin):
    """All notices, newest first."""

    merchant_path = "incident__merchant"
    list_display = ["created_at", "incident", "target", "event", "state_shown", "tries", "outcome"]
    list_select_related = ["incident__merchant", "incident__account", "target"]
    list_filter = [("state", ChoicesDropdownFilter), ("event", ChoicesDropdownFilter)]
    ordering = ["-id"]
    fields = ["incident", ("target", "event"), ("state_shown", "tries"), ("due_at", "settled_at"), "outcome"]
    readonly_fields = ["incident", "target", "event", "state_shown", "tries", "due_at", "settled_at", "outcome"]
