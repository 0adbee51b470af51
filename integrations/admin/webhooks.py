"""Addresses of partners that want to be told of events: what they want, and how it goes with them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from coupons.admin.wording import moment_text
from integrations.admin.webhook_actions import EndpointActions
from integrations.admin.webhook_words import endpoint_notices, endpoint_state, lane_of, secret_words
from integrations.admin.wording import queued_and_failed
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.models.partners import WebhookEvent
from integrations.models.webhooks import DeliveryState
from integrations.webhooks import resending, switching
from integrations.webhooks.signing import new_secret
from integrations.webhooks.targets import webhook_address
from merchants.admin.badges import page_of
from merchants.admin.base import AdministratorsOnly, PortalAdmin, ReadOnlyInline
from merchants.admin.fields import ChecksField, PortalForm


class WebhookForm(PortalForm):
    """Events as checkboxes. The secret is made, never typed."""

    events = ChecksField(label=_("events"), choices=WebhookEvent.choices)

    class Meta:
        model = WebhookEndpoint
        fields = ["app", "url", "events"]
        help_texts = {
            "app": _("It is told of the coupons and templates of this app's merchants."),
            "url": _("https://… as the partner gives it. Events are sent there by POST."),
        }

    def clean_url(self) -> str:
        """An address outside of the portal's own networks."""
        address: str = self.cleaned_data["url"]
        if address != self.initial.get("url"):
            webhook_address(address)
        return address

    def clean_events(self) -> list[str]:
        """At least one."""
        chosen: list[str] = self.cleaned_data["events"]
        if not chosen:
            self.add_error("events", _("Choose at least one event."))
        return chosen


class WebhookInline(ReadOnlyInline):
    """Where the app is told of events, with a link to each page."""

    model = WebhookEndpoint
    fields = ["url_shown", "events_shown", "state_shown"]
    readonly_fields = fields
    verbose_name_plural = _("webhooks")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEndpoint]:
        """With how it goes with each."""
        return super().get_queryset(request).select_related("lane")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the app."""
        return request.user.has_perm("integrations.view_webhookendpoint")

    @display(description=_("address"))
    def url_shown(self, webhook: WebhookEndpoint) -> str:
        """The address, with a link to its page."""
        return page_of(webhook)

    @display(description=_("events"))
    def events_shown(self, webhook: WebhookEndpoint) -> str:
        """What it is told of."""
        return events_in_words(webhook)

    @display(description=_("state"))
    def state_shown(self, webhook: WebhookEndpoint) -> str:
        """Whether events go out."""
        return endpoint_state(webhook)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(EndpointActions, AdministratorsOnly, PortalAdmin):
    """Webhooks of all partners."""

    form = WebhookForm
    list_display = ["url_shown", "app", "events_shown", "state_shown", "last_shown"]
    list_select_related = ["app", "lane"]
    search_fields = ["url"]
    search_help_text = _("Address")
    list_filter = ["app"]
    ordering = ["-id"]
    autocomplete_fields = ["app"]
    warn_unsaved_form = True
    empty_hint = _("Add a webhook for a partner app, hand its secret to the partner, then send a test event.")
    readonly_fields = ["notices_shown", "state_shown", "last_shown", "secret_shown", "deliveries_shown"]
    fieldsets = [
        (None, {"fields": ["notices_shown", "app", "url", "events"]}),
        (_("How it goes"), {"fields": [("state_shown", "last_shown"), "deliveries_shown", "secret_shown"]}),
    ]

    class Media:
        js = ["portal/copy.js"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing can be said yet of a new one."""
        if obj is None:
            return [(None, {"fields": ["app", "url", "events"]})]
        if endpoint_notices(obj, 0):
            return self.fieldsets
        return [(None, {"fields": ["app", "url", "events"]}), *self.fieldsets[1:]]

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        """A new one gets its secret here, shown this once."""
        if not obj.secret:
            obj.secret = new_secret()
            messages.success(request, secret_words(obj.secret))
        super().save_model(request, obj, form, change)
        if change and "url" in form.changed_data:
            switching.try_anew(obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The app stays: what is pending is about its merchants."""
        return self.readonly_fields if obj is None else [*self.readonly_fields, "app"]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """In numbers, not one by one: its log goes with it, which may be long."""
        rows = WebhookDelivery.objects.filter(endpoint__in=[obj.pk for obj in objs])
        counts = {WebhookEndpoint._meta.verbose_name_plural: len(objs)}
        counts[WebhookDelivery._meta.verbose_name_plural] = rows.count()
        return [str(obj) for obj in objs], counts, set(), []

    def delete_model(self, request: HttpRequest, obj: WebhookEndpoint) -> None:
        """With its log."""
        switching.remove(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        """Each by itself."""
        for endpoint in queryset:
            self.delete_model(request, endpoint)

    @display(description=_("to be mended"))
    def notices_shown(self, webhook: WebhookEndpoint) -> str:
        """What is wrong with it."""
        boxes = endpoint_notices(webhook, switching.pending_of(webhook))
        return format_html_join("", "{}", [(box,) for box in boxes])

    @display(description=_("address"), ordering="url")
    def url_shown(self, webhook: WebhookEndpoint) -> str:
        """The address, without what may be secret in it."""
        return webhook.label

    @display(description=_("events"))
    def events_shown(self, webhook: WebhookEndpoint) -> str:
        """What it is told of."""
        return events_in_words(webhook)

    @display(description=_("state"))
    def state_shown(self, webhook: WebhookEndpoint) -> str:
        """Whether events go out."""
        return endpoint_state(webhook)

    @display(description=_("last taken"))
    def last_shown(self, webhook: WebhookEndpoint) -> str:
        """When the partner last took one."""
        at = lane_of(webhook).last_ok_at
        return moment_text(at)

    @display(description=_("signing secret"))
    def secret_shown(self, webhook: WebhookEndpoint) -> str:
        """How many secrets sign; none of them is ever shown again."""
        if webhook.previous_until is not None and webhook.previous_secret:
            words = gettext("Stored. The one before signs as well until %(time)s.")
            return words % {"time": moment_text(webhook.previous_until)}
        return gettext("Stored. It was shown once; if it is lost, make a new one.")

    @display(description=_("deliveries"))
    def deliveries_shown(self, webhook: WebhookEndpoint) -> str:
        """How many wait and how many have failed, and the way to all of them."""
        waiting = WebhookDelivery.objects.filter(endpoint=webhook, state=DeliveryState.QUEUED)
        address = f"{reverse('admin:integrations_webhookdelivery_changelist')}?endpoint={webhook.pk}"
        return queued_and_failed(waiting, resending.failed_of(webhook), address, gettext("All deliveries"))


def events_in_words(webhook: WebhookEndpoint) -> str:
    """What it is told of; all of them in a word."""
    chosen = [str(label) for value, label in WebhookEvent.choices if value in webhook.events]
    return gettext("all") if len(chosen) == len(WebhookEvent) else ", ".join(chosen) or "-"
