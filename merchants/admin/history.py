"""The history of one object: what the audit trail has of it, and the notes of staff's log.

Customers and coupons are told of in staff's log alone, because it can forget names and the trail cannot.
"""

from typing import Any

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from merchants.admin.trail_words import Change, changes_of, prepare, what_words, who_words
from merchants.models import AuditAction, AuditEntry

_PAGE = 100
_ICONS = {
    AuditAction.ADDED: ("add", "success"),
    AuditAction.CHANGED: ("edit", "info"),
    AuditAction.REMOVED: ("delete", "danger"),
    AuditAction.ACTED: ("bolt", "primary"),
}


class TellsHistory:
    """Shows the trail on the page behind the history button."""

    model: Any
    object_history_template = "admin/merchants/trail/history.html"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page; who may see the object sees it."""
        rows = AuditEntry.objects.select_related("merchant").filter(
            kind=self.model._meta.label_lower, object_id=unquote(object_id)
        )
        before = request.GET.get("before", "")
        entries = list((rows.filter(pk__lt=int(before)) if _is_key(before) else rows).order_by("-pk")[: _PAGE + 1])
        prepare(request, entries)
        context = {
            "trail": [_told(request, entry) for entry in entries[:_PAGE]],
            "older": str(entries[_PAGE - 1].pk) if len(entries) > _PAGE else None,
        }
        answer: HttpResponse = super().history_view(request, object_id, context | (extra_context or {}))  # type: ignore[misc]
        return answer


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _told(request: HttpRequest, entry: AuditEntry) -> dict[str, Any]:
    """What the template shows of an entry."""
    icon, variant = _ICONS.get(AuditAction(entry.action), ("circle", "default"))
    changes: list[Change] = changes_of(request, entry)
    return {
        "entry": entry,
        "day": timezone.localtime(entry.at).date(),
        "who": who_words(entry),
        "what": what_words(entry),
        "changes": changes,
        "icon": icon,
        "variant": variant,
    }
