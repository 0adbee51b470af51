"""The admin's site: Unfold's, which looks up once a request what the user may see."""

from typing import Any

from django.contrib import admin
from django.contrib.admin import sites
from django.http import HttpRequest
from unfold.apps import DefaultAppConfig
from unfold.sites import UnfoldAdminSite


class LookConfig(DefaultAppConfig):
    """Unfold, with our site."""

    def ready(self) -> None:
        """Put our site in Django's place, as Unfold does with its own."""
        admin.site = sites.site = PortalSite()


class PortalSite(UnfoldAdminSite):
    """Django and Unfold ask two or three times a request what the user may see: the first answer stands."""

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The applications and their models, as far as the user may see them."""
        known: dict[str | None, list[Any]] = request.__dict__.setdefault("_portal_app_lists", {})
        if app_label not in known:
            known[app_label] = super().get_app_list(request, app_label)
        return known[app_label]
