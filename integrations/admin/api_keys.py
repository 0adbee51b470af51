"""Keys of partner apps: what can be said of them, and how they are made, exchanged and ended. Administrators alone."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from coupons.admin.wording import moment_text
from integrations.admin.api_key_forms import ApiKeyForm
from integrations.admin.api_key_words import state_of
from integrations.models import ApiKey
from integrations.partner_api import keys
from merchants.admin.badges import mono, page_of
from merchants.admin.base import AdministratorsOnly, PortalAdmin, ReadOnlyInline
from merchants.admin.dialogs import dialog, go_to
from merchants.admin.noting import note

ENDS_IN = timedelta(hours=24)


class KeyColumns:
    """What lists and the app's page say of a key."""

    @display(description=_("begins with"))
    def prefix_shown(self, key: ApiKey) -> str:
        """All of the key that is kept readable; leads to its page."""
        return page_of(key, mono(f"{key.prefix}…"))

    @display(description=_("state"))
    def state_shown(self, key: ApiKey) -> str:
        """Whether it opens anything."""
        return state_of(key)

    @display(description=_("allowed addresses"))
    def addresses_shown(self, key: ApiKey) -> str:
        """From where it may be used."""
        return ", ".join(key.allowed_addresses) or gettext("any")

    @display(description=_("label"))
    def label_shown(self, key: ApiKey) -> str:
        """Where it is used."""
        return key.label or "-"


class ApiKeyInline(KeyColumns, ReadOnlyInline):
    """The app's keys by what they begin with."""

    model = ApiKey
    fields = ["prefix_shown", "label_shown", "state_shown", "last_used_at", "addresses_shown", "created_at"]
    readonly_fields = fields


@admin.register(ApiKey)
class ApiKeyAdmin(KeyColumns, AdministratorsOnly, PortalAdmin):
    """One key: its label, its addresses, its end. It is made on the app's page."""

    form = ApiKeyForm
    list_display = ["prefix_shown", "app", "label_shown", "state_shown", "last_used_at", "addresses_shown"]
    list_display_links = None
    list_select_related = ["app"]
    ordering = ["-id"]
    actions_detail = ["end_now", "end_soon"]
    fields = [
        ("app_shown", "prefix_plain"), ("state_shown", "last_used_at"), "label", "expires_at", "allowed_addresses",
    ]  # fmt: skip
    readonly_fields = ["app_shown", "prefix_plain", "state_shown", "last_used_at"]
    empty_hint = _("Keys are made on the page of their partner app.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A key is made where it is shown once."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A key that has ended stays, so that its calls can be told from others."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """One that has ended stays as it was."""
        ended = obj is not None and not obj.is_live(timezone.now())
        return [*self.readonly_fields, *(["label", "expires_at", "addresses_shown"] if ended else [])]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of one that has ended, the addresses in words."""
        shown = super().get_fields(request, obj)
        if obj is None or obj.is_live(timezone.now()):
            return shown
        return ["addresses_shown" if name == "allowed_addresses" else name for name in shown]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What has ended cannot be ended."""
        key = ApiKey.objects.filter(pk=object_id).first()
        allowed = super().get_actions_detail(request, object_id)
        return allowed if key is not None and key.is_live(timezone.now()) else []

    @display(description=_("partner app"))
    def app_shown(self, key: ApiKey) -> str:
        """A link to the app."""
        return page_of(key.app)

    @display(description=_("begins with"))
    def prefix_plain(self, key: ApiKey) -> str:
        """All of the key that is kept readable."""
        return mono(f"{key.prefix}…")

    @action(
        description=_("End now"), url_path="end-now", permissions=["change"], icon="block",
        dialog=dialog(
            _("End this key now?"),
            _("Whoever still calls with it is refused from now on. “Last used” says whether anybody does."),
            _("End it"),
        ),
    )  # fmt: skip
    def end_now(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Shut the key out."""
        return self._end(request, object_id, timedelta(0))

    @action(
        description=_("End in 24 hours"), url_path="end-soon", permissions=["change"], icon="timer",
        dialog=dialog(
            _("End this key in 24 hours?"),
            _("Until then both keys work, so that the partner's application can change over."),
            _("End it in 24 hours"),
        ),
    )  # fmt: skip
    def end_soon(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let the key end a day from now."""
        return self._end(request, object_id, ENDS_IN)

    def _end(self, request: HttpRequest, object_id: str, later: timedelta) -> HttpResponse:
        key = ApiKey.objects.select_related("app").get(pk=object_id)
        if keys.end(key, timezone.now() + later):
            words, facts = (
                _("Key %(key)s ends %(time)s."),
                {"key": f"{key.prefix}…", "time": moment_text(key.expires_at)},
            )
            note(request, key.app, words, **facts)
            messages.success(request, words % facts)
        else:
            messages.info(request, gettext("This key ends earlier already."))
        return go_to(request, key.app)
