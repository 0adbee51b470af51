"""Filters whose choices are the user's own: no other merchant's name appears in a list."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Field
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RelatedDropdownFilter

from merchants.admin.base import visible_rows


class OwnRelatedFilter(RelatedDropdownFilter):
    """A drop-down of the related rows that the user may see; gone when there is only one."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[Any, str]]:
        """The choices."""
        rows = visible_rows(model_admin.admin_site, field.related_model, request)
        return [(row.pk, str(row)) for row in (field.related_model._default_manager.all() if rows is None else rows)]


class OwnSearchFilter(AutocompleteSelectFilter):
    """A search among the related rows that the user may see, for many of them."""

    def __init__(self, field: Field, request: HttpRequest, params: Any, model: Any, model_admin: Any, path: str) -> None:
        super().__init__(field, request, params, model, model_admin, path)
        self._rows = visible_rows(model_admin.admin_site, self.field.related_model, request)

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:
        """The search field; a choice that is not the user's shows no name."""
        for choice in super().choices(changelist):
            if self._rows is not None:
                choice["form"].fields[self.lookup_kwarg].queryset = self._rows
            yield choice
