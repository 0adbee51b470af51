"""Filters of the integration lists."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from integrations.admin.inbox_wording import SUGGESTED
from integrations.admin.remedies import RESULT_WORDS
from integrations.models import DfireCallback, Incident, OutboxRow
from integrations.models.inbox import UNSETTLED_STATES
from integrations.partner_api.calls import STATUS_CLASSES, in_class


class ResultFilter(DropdownFilter):
    """Outbox rows by the class of their last result."""

    title = _("last result")
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [(str(result), words) for result, words in RESULT_WORDS.items() if result]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutboxRow]) -> QuerySet[OutboxRow]:
        """The rows of the chosen one."""
        return queryset.filter(last_class=self.value()) if self.value() else queryset


class StatusClassFilter(DropdownFilter):
    """Calls and pushes by what became of them: which statuses there are is not looked up among all rows."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [(name, words) for name, words in STATUS_CLASSES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen one."""
        return in_class(queryset, self.value() or "")


class StillOpenFilter(DropdownFilter):
    """Incidents that are open, or over."""

    title = _("open or over")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [("yes", _("still open")), ("no", _("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Incident]) -> QuerySet[Incident]:
        """The incidents of the chosen one."""
        chosen = {"yes": True, "no": False}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(closed_at__isnull=chosen)


class OpenFilter(DropdownFilter):
    """Callbacks that are still to be settled."""

    title = _("open or settled")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [("yes", _("still open")), ("no", _("already settled"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DfireCallback]) -> QuerySet[DfireCallback]:
        """The callbacks of the chosen one."""
        if self.value() == "yes":
            return queryset.filter(state__in=UNSETTLED_STATES)
        return queryset.exclude(state__in=UNSETTLED_STATES) if self.value() == "no" else queryset


class SuggestionFilter(DropdownFilter):
    """Unsettled callbacks by what the portal suggests."""

    title = _("suggested decision")
    parameter_name = "suggestion"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        return [(str(suggestion), words) for suggestion, words in SUGGESTED.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DfireCallback]) -> QuerySet[DfireCallback]:
        """The callbacks of the chosen one."""
        chosen = self.value()
        return queryset.filter(state__in=UNSETTLED_STATES, suggestion=chosen) if chosen else queryset
