"""The audit trail as a list and entry by entry: to look at, to search, to take away."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, TextFilter
from unfold.decorators import display

from merchants.admin.badges import Variant, badge, mono
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.export_columns import Column
from merchants.admin.filters import LocalDaysFilter, OwnRelatedFilter
from merchants.admin.keyset import KeysetList
from merchants.admin.trail_scope import entries_in_scope, visible_kinds
from merchants.admin.trail_words import (
    changes_of,
    in_one_line,
    kind_words,
    model_of,
    name_words,
    prepare,
    what_words,
    who_words,
)
from merchants.models import AuditAction, AuditEntry
from merchants.rights import VIEW_WHOLE_TRAIL, has_right

VARIANTS: dict[str, Variant] = {
    AuditAction.ADDED: "success",
    AuditAction.CHANGED: "info",
    AuditAction.REMOVED: "danger",
    AuditAction.ACTED: "warning",
}
_SHOWN_IN_LIST = 3


class ActorFilter(TextFilter):
    """Entries of one actor, by the whole name."""

    title = _("who")
    parameter_name = "actor"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Theirs."""
        return queryset.filter(actor=self.value().strip()) if self.value() else queryset


class KindFilter(DropdownFilter):
    """Entries about one kind of object."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The kinds whose pages the user may see."""
        kinds = set(visible_kinds(request))
        if has_right(request.user, VIEW_WHOLE_TRAIL):
            kinds |= {"auth.user", "auth.group"}
        return sorted(((kind, capfirst(kind_words(kind))) for kind in kinds), key=lambda one: one[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Those of the chosen one."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


class ActionFilter(DropdownFilter):
    """Entries by what they tell."""

    title = _("action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [(value, label) for value, label in AuditAction.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Those of the chosen one."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class _Entries(KeysetList):
    """The list, its rows' words read at once."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows, each knowing for whom it is shown."""
        super().get_results(request)
        entries: Any = self.result_list
        prepare(request, entries)
        for entry in entries:
            entry.viewer = request


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, BigTable, ScopedAdmin):
    """Who changed what, from what to what, when and from where."""

    list_display = ["at", "who_shown", "object_shown", "what_shown", "merchant"]
    list_display_links = ["at"]
    list_select_related = ["merchant"]
    list_filter = [ActorFilter, KindFilter, ActionFilter, ("merchant", OwnRelatedFilter), ("at", LocalDaysFilter)]
    search_fields = ["object_id__exact", "object_name__startswith"]
    search_help_text = _("An object's ID, or how its name begins")
    ordering = ["-id"]
    fields = [
        ("at", "actor_shown"), ("via", "address"), ("object_shown", "merchant"), ("what_full", "reason_shown"),
        "changes_shown", "request_shown",
    ]  # fmt: skip
    readonly_fields = [
        "at", "actor_shown", "via", "address", "object_shown", "merchant", "what_full", "reason_shown", "changes_shown",
        "request_shown",
    ]  # fmt: skip
    export_columns = (
        Column(_("time"), lambda request, entry: entry.at),
        Column(_("who"), lambda request, entry: who_words(entry)),
        Column(_("by way of"), lambda request, entry: entry.via),
        Column(_("address"), lambda request, entry: entry.address),
        Column(_("kind"), lambda request, entry: kind_words(entry.kind)),
        Column(_("object"), lambda request, entry: name_words(entry)),
        Column(_("object's ID"), lambda request, entry: entry.object_id),
        Column(_("merchant"), lambda request, entry: str(entry.merchant) if entry.merchant else ""),
        Column(_("action"), lambda request, entry: what_words(entry)),
        Column(_("reason"), lambda request, entry: entry.reason),
        Column(_("changes"), lambda request, entry: in_one_line(request, entry)),
        Column(_("request ID"), lambda request, entry: entry.request_id),
    )
    export_related = ("merchant",)
    empty_hint = _("Every change of templates, accounts, keys, staff and batches will stand here by itself.")

    def in_scope(self, request: HttpRequest) -> Q:
        """What the user may see."""
        return entries_in_scope(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """With the merchants; one that was removed is none."""
        return super().get_queryset(request).select_related("merchant")

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        """Read at once the names of all that these entries refer to."""
        prepare(request, rows)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetList]:
        """The list of ours."""
        return _Entries

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> AuditEntry | None:
        """The entry, knowing for whom it is shown."""
        entry: Any = super().get_object(request, object_id, from_field)
        if entry is not None:
            entry.viewer = request
        return entry

    @display(description=_("who"))
    def who_shown(self, entry: AuditEntry) -> str:
        """Who, and from where."""
        return format_html("{}<br><small>{}</small>", who_words(entry), entry.address or entry.via)

    @display(description=_("who"))
    def actor_shown(self, entry: AuditEntry) -> str:
        """Who."""
        return who_words(entry)

    @display(description=_("object"))
    def object_shown(self, entry: Any) -> str:
        """The object, with a link to its page, and what it is."""
        if not entry.kind:
            return gettext("the portal")
        name = name_words(entry) or (f"#{entry.object_id}" if entry.object_id else gettext("the list"))
        return format_html("{}<br><small>{}</small>", _linked(entry, name), capfirst(kind_words(entry.kind)))

    @display(description=_("what"))
    def what_shown(self, entry: Any) -> str:
        """In few words: the first changes of a change."""
        changes = changes_of(entry.viewer, entry) if entry.action == AuditAction.CHANGED else []
        more = f" +{len(changes) - _SHOWN_IN_LIST}" if len(changes) > _SHOWN_IN_LIST else ""
        lines = format_html_join("", "<div>{}</div>", ([_short(change)] for change in changes[:_SHOWN_IN_LIST]))
        reason = format_html("<div>{}</div>", entry.reason) if entry.reason else ""
        return format_html('<div class="portal-trail">{}{}{}{}</div>', _badge(entry), lines, more, reason)

    @display(description=_("action"))
    def what_full(self, entry: AuditEntry) -> str:
        """What happened."""
        return _badge(entry)

    @display(description=_("reason"))
    def reason_shown(self, entry: AuditEntry) -> str:
        """Why, in whoever's own words."""
        return entry.reason or "-"

    @display(description=_("changes"))
    def changes_shown(self, entry: Any) -> str:
        """All changes, before and after."""
        changes = changes_of(entry.viewer, entry)
        context = {"changes": changes, "action": entry.action}
        return render_to_string("admin/merchants/trail/changes.html", context) if changes else "-"

    @display(description=_("request ID"))
    def request_shown(self, entry: AuditEntry) -> str:
        """By which the log's lines are found."""
        return mono(entry.request_id) if entry.request_id else "-"


def _badge(entry: AuditEntry) -> SafeString:
    return badge(capfirst(what_words(entry)), VARIANTS.get(entry.action, "default"))


def _short(change: Any) -> SafeString:
    if change.secret:
        return format_html("{}: {}", change.label, gettext("changed"))
    before, after = (text if len(text) <= 40 else f"{text[:40]}…" for text in (change.before, change.after))
    return format_html("{}: <del>{}</del> → <ins>{}</ins>", change.label, before, after)


def _linked(entry: AuditEntry, name: str) -> SafeString | str:
    """The name as a link, where the object may still be there and has pages."""
    model = model_of(entry.kind)
    gone = not entry.object_id or entry.action == AuditAction.REMOVED
    if model is None or gone or not admin.site.is_registered(model):
        return name
    meta = model._meta
    try:
        address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[entry.object_id])
    except NoReverseMatch:
        return name
    return format_html('<a href="{}" class="text-link">{}</a>', address, name)
