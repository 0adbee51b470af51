"""Partner apps: what they may do, their keys (shown once) and where they are told of events. Administrators alone."""

import secrets
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from integrations.admin.webhooks import TakesDeliveriesAlong, WebhookInline
from integrations.models import ApiKey, PartnerApp
from integrations.models.partners import Scope
from merchants.admin.badges import mono
from merchants.admin.base import AdministratorsOnly, PortalAdmin, ReadOnly, ReadOnlyInline
from merchants.admin.dialogs import dialog, go, go_to
from merchants.admin.fields import ChecksField, SecretsForm
from merchants.secrets import keyed_hashes

KEY_BEGINS_WITH = "cp_"
PREFIX_LENGTH = 8


def new_key(app: PartnerApp) -> str:
    """Store a new key of the app and return it; afterwards nobody can read it any more."""
    key = KEY_BEGINS_WITH + secrets.token_urlsafe(32)
    ApiKey.objects.create(app=app, prefix=key[:PREFIX_LENGTH], key_hash=keyed_hashes(key)[0])
    return key


class PartnerAppForm(SecretsForm):
    """Scopes as checkboxes."""

    scopes = ChecksField(label=_("scopes"), choices=Scope.choices)

    class Meta:
        model = PartnerApp
        fields = ["name", "merchants", "scopes"]


class ApiKeyInline(ReadOnlyInline):
    """The app's keys by what they begin with. Deleting one shuts it out at once."""

    model = ApiKey
    fields = ["prefix_shown", "created_at"]
    readonly_fields = fields
    can_delete = True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change the app may take its keys away."""
        return request.user.has_perm("integrations.delete_apikey")

    @display(description=_("begins with"))
    def prefix_shown(self, key: ApiKey) -> str:
        """All of the key that is kept readable."""
        return mono(f"{key.prefix}…")


@admin.register(PartnerApp)
class PartnerAppAdmin(TakesDeliveriesAlong, AdministratorsOnly, PortalAdmin):
    """Applications of partners."""

    form = PartnerAppForm
    list_display = ["name", "scopes_shown", "merchants_shown", "created_at"]
    search_fields = ["name"]
    ordering = ["-id"]
    autocomplete_fields = ["merchants"]
    inlines = [ApiKeyInline, WebhookInline]
    actions_detail = ["make_key", "add_webhook"]
    empty_hint = _("Add an app for each partner, choose its merchants and rights, then make it a key.")
    fields = ["name", "merchants", "scopes"]
    warn_unsaved_form = True

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Keys and webhooks belong to an app that exists."""
        return self.inlines if obj is not None else []

    @action(
        description=_("New key"), url_path="new-key", permissions=["change"], icon="key",
        dialog=dialog(
            _("Make a new key?"),
            _("It is shown once, on the next page. Older keys stay valid until you delete them."),
            _("Make the key"),
        ),
    )  # fmt: skip
    def make_key(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make a key and show it, this once."""
        app = PartnerApp.objects.get(pk=object_id)
        with transaction.atomic():
            key = new_key(app)
            self.log_change(request, app, gettext("Made a new key."))
        words = gettext("The new key, shown this once: %(key)s")
        messages.success(request, words % {"key": key})
        return go_to(request, app)

    @action(description=_("Add a webhook"), url_path="add-webhook", permissions=["change"], icon="webhook")
    def add_webhook(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the form, with this app chosen."""
        return go(request, f"{reverse('admin:integrations_webhookendpoint_add')}?app={int(object_id)}")

    @display(description=_("scopes"))
    def scopes_shown(self, app: PartnerApp) -> str:
        """What it may do."""
        return ", ".join(str(Scope(scope).label) for scope in app.scopes if scope in Scope.values) or "-"

    @display(description=_("merchants"))
    def merchants_shown(self, app: PartnerApp) -> int:
        """How many merchants exist for it."""
        return app.merchants.count()


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly, AdministratorsOnly, PortalAdmin):
    """All keys in one list; made and deleted on the app's page."""

    list_display = ["prefix", "app", "created_at"]
    list_select_related = ["app"]
    ordering = ["-id"]
