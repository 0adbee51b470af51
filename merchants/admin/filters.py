"""Filters that lists share: choices that are the user's own (no other merchant's name appears), and ranges of days."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, QuerySet
from django.forms import DateField
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter, RelatedDropdownFilter

from merchants.admin.base import visible_rows
from merchants.clock import day_start


class OwnRelatedFilter(RelatedDropdownFilter):
    """A drop-down of the related rows that the user may see; gone when there is only one."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[Any, str]]:
        """The choices."""
        rows = visible_rows(model_admin.admin_site, field.related_model, request)
        return [(row.pk, str(row)) for row in (field.related_model._default_manager.all() if rows is None else rows)]


class OwnSearchFilter(AutocompleteSelectFilter):
    """A search among the related rows that the user may see, for many of them."""

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """The search field; a choice that is not the user's shows no name."""
        rows = visible_rows(self.model_admin.admin_site, self.field.related_model, self.request)
        for choice in super().choices(changelist):
            if rows is not None:
                choice["form"].fields[self.lookup_kwarg].queryset = rows
            yield choice


class LocalDaysFilter(RangeDateFilter):
    """From one Shanghai day to another, both included, of a date or of an instant.

    Unlike Unfold's own it reads dates as the page's language writes them, and one day is enough.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of these days; what is no date does not restrict."""
        first, last = self._day("from"), self._day("to")
        instants = isinstance(self.field, DateTimeField)
        conditions: dict[str, Any] = {}
        if first is not None and first != date.min:
            conditions[f"{self.field_path}__gte"] = day_start(first) if instants else first
        if last is not None and last != date.max:  # nothing lies beyond the calendar's ends
            after = last + timedelta(days=1)
            conditions[f"{self.field_path}__lt"] = day_start(after) if instants else after
        return queryset.filter(**conditions)

    def _day(self, side: str) -> date | None:
        try:
            return DateField(required=False).clean(self.used_parameters.get(f"{self.parameter_name}_{side}"))
        except ValidationError:
            return None
