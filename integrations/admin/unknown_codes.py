"""Codes that are not there, by the app that asked for them, and how a held app goes on. Administrators alone."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from integrations.models import UnknownCodes
from integrations.partner_api import guessing
from merchants.admin.badges import badge, page_of
from merchants.admin.base import AdministratorsOnly, PortalAdmin
from merchants.admin.dialogs import dialog, go_to
from merchants.admin.noting import note


@admin.register(UnknownCodes)
class UnknownCodesAdmin(AdministratorsOnly, PortalAdmin):
    """What stands against each app, and whether it is held."""

    list_display = ["app", "state_shown", "count_shown", "counted_at"]
    list_select_related = ["app"]
    actions_detail = ["let_go_on"]
    fields = ["app_shown", ("state_shown", "count_shown"), ("held_at", "counted_at")]
    readonly_fields = ["app_shown", "state_shown", "count_shown", "held_at", "counted_at"]
    empty_hint = _("No partner app has asked for a code that is not there.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Calls write it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It goes with its app; before, the action says that it is forgotten."""
        return False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Who is not held goes on anyway."""
        allowed = super().get_actions_detail(request, object_id)
        return allowed if UnknownCodes.objects.filter(pk=object_id, held_at__isnull=False).exists() else []

    @display(description=_("partner app"))
    def app_shown(self, kept: UnknownCodes) -> str:
        """A link to the app, from where its console shows what it asked for."""
        return page_of(kept.app)

    @display(description=_("state"))
    def state_shown(self, kept: UnknownCodes) -> str:
        """Whether it gets answers about codes."""
        return badge(_("held"), "danger") if kept.held_at else badge(_("goes on"), "success")

    @display(description=_("codes that count against it"), ordering="count")
    def count_shown(self, kept: UnknownCodes) -> str:
        """How many of how many."""
        return gettext("%(count)s of %(most)s") % {
            "count": round(kept.count), "most": settings.API_UNKNOWN_CODES_IN_ALL
        }  # fmt: skip

    @action(
        description=_("Let it go on"), url_path="let-go-on", permissions=["change"], icon="play_arrow",
        dialog=dialog(
            _("Let this app ask for codes again?"),
            _(
                "Do so only if you know why it asked for codes that are not there: the app's console shows each with "
                "its address. If somebody may be guessing, end the app's key instead."
            ),
            _("Let it go on"),
        ),
    )  # fmt: skip
    def let_go_on(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Hold the app no longer."""
        kept = self.get_object(request, unquote(object_id))
        if kept is None:
            raise Http404
        words = _("%(app)s gets answers about codes again.")
        with transaction.atomic():
            if gone_on := guessing.let_go_on(kept.app):
                note(request, kept.app, words, app=kept.app)
        if gone_on:
            messages.success(request, words % {"app": kept.app})
        return go_to(request, kept)
