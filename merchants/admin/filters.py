"""Filters whose choices are the user's own: no other merchant's name appears in a list."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RelatedDropdownFilter

from merchants.admin.base import visible_rows


class OwnRelatedFilter(RelatedDropdownFilter):
    """A drop-down of the related rows that the user may see; gone when there is only one."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: ModelAdmin
    ) -> list[tuple[Any, str]]:
        """The choices."""
        rows = visible_rows(model_admin.admin_site, field.related_model, request)
        return [
            (row.pk, str(row))
            for row in (field.related_model._default_manager.all() if rows is None else rows)
        ]


class OwnSearchFilter(AutocompleteSelectFilter):
    """A search among the related rows that the user may see, for many of them."""

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """The search field; a choice that is not the user's shows no name."""
        rows = visible_rows(self.model_admin.admin_site, self.field.related_model, self.request)
        for choice in super().choices(changelist):
            if rows is not None:
                choice["form"].fields[self.lookup_kwarg].queryset = rows
            yield choice
