"""Partner apps: what they may do, their keys (shown once) and where they are told of events. Administrators alone."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from integrations.admin.api_key_forms import NewKeyForm
from integrations.admin.api_key_words import too_many
from integrations.admin.api_keys import ApiKeyInline
from integrations.admin.console import ConsolePage
from integrations.admin.webhooks import WebhookInline
from integrations.admin.wording import counted
from integrations.models import ApiCall, PartnerApp, WebhookDelivery, WebhookEndpoint
from integrations.models.partners import Scope
from integrations.partner_api import keys
from integrations.webhooks import switching
from merchants.admin.base import AdministratorsOnly, PortalAdmin
from merchants.admin.dialogs import ask_again, dialog, go, go_to
from merchants.admin.fields import ChecksField, SecretsForm
from merchants.admin.noting import note

NEW_KEY = dialog(
    _("Make a new key?"),
    _("It is shown once, on the next page. Two keys may be live at once, so that one can take the other's place."),
    _("Make the key"),
    NewKeyForm,
)
STAYS = _(
    "%(app)s has been used: it stays, because its calls and orders are looked back at. "
    "End its keys, and nobody can use it any more."
)


class PartnerAppForm(SecretsForm):
    """Scopes as checkboxes."""

    scopes = ChecksField(label=_("scopes"), choices=Scope.choices)

    class Meta:
        model = PartnerApp
        fields = ["name", "merchants", "scopes"]


@admin.register(PartnerApp)
class PartnerAppAdmin(ConsolePage, AdministratorsOnly, PortalAdmin):
    """Applications of partners."""

    form = PartnerAppForm
    list_display = ["name", "scopes_shown", "merchants_shown", "created_at"]
    search_fields = ["name"]
    ordering = ["-id"]
    autocomplete_fields = ["merchants"]
    inlines = [ApiKeyInline, WebhookInline]
    actions_detail = ["console", "make_key", "add_webhook"]
    empty_hint = _("Add an app for each partner, choose its merchants and rights, then make it a key.")
    fields = ["name", "merchants", "scopes"]
    warn_unsaved_form = True

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Keys and webhooks belong to an app that exists."""
        return self.inlines if obj is not None else []

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """In numbers, not one by one: webhooks may have a long log. What has been used is not deleted."""
        used = [str(STAYS) % {"app": app} for app in objs if _has_been_used(app)]
        hooks = WebhookEndpoint.objects.filter(app__in=[app.pk for app in objs])
        counts = {
            PartnerApp._meta.verbose_name_plural: len(objs),
            WebhookEndpoint._meta.verbose_name_plural: hooks.count(),
            WebhookDelivery._meta.verbose_name_plural: counted(WebhookDelivery.objects.filter(endpoint__in=hooks)),
        }
        return [str(app) for app in objs], counts, set(), used

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: PartnerApp) -> None:
        """With its webhooks and their log."""
        for endpoint in obj.webhooks.all():
            switching.remove(endpoint)
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PartnerApp]) -> None:
        """Each by itself."""
        for app in queryset:
            self.delete_model(request, app)

    @action(
        description=_("New key"), url_path="new-key", permissions=["change"], icon="key",
        dialog=NEW_KEY,
    )  # fmt: skip
    def make_key(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make a key and show it, this once; end the one before when it was said."""
        app, now = PartnerApp.objects.get(pk=object_id), timezone.now()
        try:
            with transaction.atomic():
                said = form.cleaned_data
                key, text = keys.make(
                    app, label=said["label"], expires_at=form.expires_at(now),
                    allowed_addresses=said["allowed_addresses"],
                )  # fmt: skip
                if form.present is not None and (ends := form.old_ends_at(now)) is not None:
                    keys.end(form.present, ends)
                note(request, app, _("Made the key %(key)s."), key=f"{key.prefix}…")
        except keys.TooManyKeys as refusal:
            form.add_error(None, too_many(refusal))
            return ask_again(request, form, NEW_KEY)
        words = gettext("The new key, shown this once: %(key)s")
        messages.success(request, words % {"key": text})
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


def _has_been_used(app: PartnerApp) -> bool:
    return app.keys.exists() or ApiCall.objects.filter(app=app).order_by().exists()
