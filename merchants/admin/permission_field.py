"""Choosing roles and permissions, in the reader's words: Django's own widget speaks English and lists them by app."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import ManyToManyField
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultiple, UnfoldAdminSelect2MultipleWidget

_EVERYWHERE = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}


def permission_words(permission: Any) -> str:
    """Such as "Coupon template: view"; a right of its own under its own words."""
    kind, _under, model = permission.codename.partition("_")
    about = permission.content_type.model_class()
    name = str(about._meta.verbose_name) if about is not None else permission.content_type.model
    plain = kind in _EVERYWHERE and model == permission.content_type.model
    return f"{capfirst(name)}: {_EVERYWHERE[kind] if plain else gettext(permission.name)}"


class PermissionsField(ModelMultipleChoiceField):
    """Permissions, each under the name of what it is about."""

    def label_from_instance(self, permission: Any) -> str:
        """The permission in words."""
        return permission_words(permission)


class PermissionChoices:
    """An admin class whose form chooses groups or permissions."""

    filter_horizontal = ()

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        """Roles as boxes to tick, permissions as a list to search."""
        if db_field.related_model is Group:
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultiple
        if db_field.related_model is Permission:
            rows = Permission.objects.select_related("content_type")
            kwargs |= {"form_class": PermissionsField, "queryset": rows, "widget": UnfoldAdminSelect2MultipleWidget}
            field: Any = db_field.formfield(**kwargs)
            return field
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]
