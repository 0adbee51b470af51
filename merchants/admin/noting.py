"""Keeping what staff did, in the audit trail; the one place that decides where a note goes.

What changes a watched table is told by the database itself, so a saved form needs no note. Customers and coupons are
noted in staff's log (Django's LogEntry) instead: what stands there can be taken back when a customer is erased, and
nothing in the trail ever can.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.db.models import Model
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from merchants.audit.recording import record
from merchants.audit.watching import watched
from merchants.models import Customer

_IN_STAFFS_LOG = {Customer._meta.label_lower, "coupons.issuedcoupon"}


def english(words: Any) -> str:
    """Words of the catalogue as the trail keeps them: each reader sees them in their own language."""
    with translation.override("en"):
        return str(words)


def note(request: HttpRequest, row: Model, words: Any, /, *, reason: str = "", **facts: Any) -> None:
    """Something that was done to a row, in the name of whoever is signed in; it shows in the row's history.

    Args:
        words: lazily translated, with places for the facts, such as `_("Made the key %(key)s.")`.
        reason: staff's own words.
    """
    if row._meta.label_lower not in _IN_STAFFS_LOG:
        record(row, english(words), reason=reason, facts={name: _plain(fact) for name, fact in facts.items()})
        return
    said = str(words) % facts if facts else str(words)
    LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type=get_content_type_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=CHANGE,
        change_message=f"{said} {reason}".strip(),
    )


class Noting:
    """Django's own notes of an admin class, by the same rule."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """A row was added with a form."""
        return self._noted("log_addition", request, obj, message, _("Added."))

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """A row was changed with a form, or something was done to it."""
        return self._noted("log_change", request, obj, message, _("Changed."))

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        """Rows were removed."""
        for row in queryset:
            self._noted("log_deletions", request, row, [], _("Removed."))

    def _noted(self, door: str, request: HttpRequest, row: Model, message: Any, words: Any) -> Any:
        if not isinstance(message, list):
            note(request, row, message)
        elif row._meta.label_lower in _IN_STAFFS_LOG:
            about = [row] if door == "log_deletions" else row
            return getattr(super(), door)(request, about, *([] if door == "log_deletions" else [message]))
        elif row._meta.db_table not in watched():
            record(row, english(words))
        return None


def _plain(fact: Any) -> Any:
    return fact if isinstance(fact, str | int | float | bool) or fact is None else english(fact)
