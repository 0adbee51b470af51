"""What partners were told, what is still to be told, what failed: the log, and sending again. Scoped to merchants."""

import re
import uuid
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import action, display

from coupons.admin.wording import moment_text
from integrations.admin.webhook_actions import resent_words
from integrations.admin.webhook_words import STATE_VARIANTS, lane_of, result_shown, trouble
from integrations.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from integrations.models.webhooks import SETTLED, TEST_EVENT
from integrations.webhooks import resending
from merchants.admin.badges import badge, mono, page_of, pre
from merchants.admin.base import (
    AdministratorsOnly,
    BigTable,
    PortalAdmin,
    ReadOnly,
    ReadOnlyInline,
    ScopedAdmin,
    is_administrator,
)
from merchants.admin.dialogs import MOST_AT_ONCE, confirm, dialog, go_to
from merchants.admin.masking import shown_json
from merchants.admin.noting import note
from merchants.scopes import visible_merchants

_ID = re.compile(r"(?:msg_)?([0-9a-f]{32})\Z")


class EndpointFilter(DropdownFilter):
    """Deliveries by address: those of the apps that work for the user's merchants."""

    title = _("webhook")
    parameter_name = "endpoint"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The choices."""
        rows = WebhookEndpoint.objects.select_related("app").order_by("app__name", "url")
        if not is_administrator(request):
            rows = rows.filter(app__merchants__in=visible_merchants(request.user)).distinct()
        return [(str(row.pk), f"{row.app} · {row.label}") for row in rows]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
        """The deliveries of the chosen one."""
        chosen = self.value() or ""
        return queryset.filter(endpoint=int(chosen)) if chosen.isdecimal() else queryset


class WebhookAttemptInline(ReadOnlyInline):
    """The calls made for a delivery, with their answers."""

    model = WebhookAttempt
    fields = ["started_at", "result_column", "duration_ms", "answer_shown"]
    readonly_fields = fields
    ordering = ["-id"]
    per_page = 20

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the delivery may see its calls."""
        return request.user.has_perm("integrations.view_webhookdelivery")

    @display(description=_("result"))
    def result_column(self, attempt: WebhookAttempt) -> str:
        """What came of it."""
        return result_shown(attempt) if attempt.result else badge(_("never noted"), "warning")

    @display(description=_("answer"))
    def answer_shown(self, attempt: WebhookAttempt) -> str:
        """Its beginning; mobile numbers were masked when it came."""
        if not attempt.answer:
            return "-"
        return format_html("<details><summary>{}</summary>{}</details>", _("show"), pre(attempt.answer))


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnly, BigTable, ScopedAdmin):
    """Deliveries are the portal's; staff send them again."""

    list_display = [
        "created_at",
        "event_shown",
        "subject_shown",
        "endpoint_shown",
        "state_shown",
        "result_column",
        "tries",
    ]
    list_display_links = ["created_at", "event_shown"]
    list_select_related = ["endpoint__app", "endpoint__lane", "coupon", "template", "merchant"]
    indexed_by_merchant = (set(),)
    list_filter = [("state", ChoicesDropdownFilter), ("event", ChoicesDropdownFilter), EndpointFilter]
    search_fields = ["coupon__code__exact"]
    search_help_text = _("Coupon code or event ID")
    ordering = ["-id"]
    inlines = [WebhookAttemptInline]
    fields = [
        "trouble_shown", ("event_shown", "state_shown"), ("subject_shown", "merchant"), ("endpoint_shown", "id_shown"),
        ("created_at", "tries"), ("next_shown", "settled_at"), "content_shown",
    ]  # fmt: skip
    readonly_fields = [
        "trouble_shown", "event_shown", "state_shown", "subject_shown", "merchant", "endpoint_shown", "id_shown",
        "created_at", "tries", "next_shown", "settled_at", "content_shown",
    ]  # fmt: skip
    actions = ["resend_selected"]
    actions_detail = ["resend_one"]
    empty_hint = _(
        "Nothing has been told to partners yet. Add a webhook to a partner app; events appear here as coupons are "
        "issued, redeemed and so on."
    )

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By coupon code, or by the ID that a partner quotes."""
        if found := _ID.match(search_term.strip().lower()):
            return queryset.filter(message_id=uuid.UUID(found[1])), False
        return super().get_search_results(request, queryset, search_term)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The delivery, which remembers who looks at it."""
        delivery = super().get_object(request, object_id, from_field)
        if delivery is not None:
            delivery.viewer = request
        return delivery

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without the box where nothing is the matter."""
        fields = super().get_fields(request, obj)
        return fields if obj is None or trouble(obj) != "-" else [name for name in fields if name != "trouble_shown"]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """What is settled can be sent again, but for test events."""
        delivery = self.visible_or_404(request, object_id)
        off = lane_of(delivery.endpoint).off_at is not None
        may = delivery.state in SETTLED and delivery.event != TEST_EVENT and not off
        return list(super().get_actions_detail(request, object_id)) if may else []

    @action(
        description=_("Resend"), url_path="resend", permissions=["resend"], icon="replay",
        dialog=dialog(
            _("Send this again?"),
            _("It goes out under the same ID: a partner that has it already lets it pass."),
            _("Resend"),
        ),
    )  # fmt: skip
    def resend_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Queue the delivery again."""
        delivery = self.visible_or_404(request, object_id)
        self._resend(request, [delivery])
        return go_to(request, delivery)

    @admin.action(description=_("Resend the selected"), permissions=["resend"])
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> HttpResponse | None:
        """Queue settled deliveries again, after asking."""
        asked = confirm(
            self, request, queryset,
            title=gettext("Send these again?"),
            warning=gettext("Each goes out under the ID it has had. What is on its way stays as it is."),
            submit=gettext("Resend"),
        )  # fmt: skip
        if asked is None:
            self._resend(request, list(queryset.order_by("pk")[:MOST_AT_ONCE]))
        return asked

    def has_resend_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may send again."""
        return request.user.has_perm("integrations.change_webhookdelivery")

    def _resend(self, request: HttpRequest, rows: list[WebhookDelivery]) -> None:
        with transaction.atomic():
            queued = set(resending.resend(WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows])))
            again = [row for row in rows if row.pk in queued]
            for row in again:
                note(request, row, _("Resent."))
        if queued:
            messages.success(request, resent_words(len(queued)))
        else:
            messages.warning(request, gettext("Nothing to do: on their way, test events, or the webhook is off."))

    @display(description=_("event"), ordering="event")
    def event_shown(self, delivery: WebhookDelivery) -> str:
        """What happened."""
        return delivery.get_event_display()

    @display(description=_("about"))
    def subject_shown(self, delivery: WebhookDelivery) -> str:
        """The coupon or the template."""
        return page_of(delivery.coupon or delivery.template)

    @display(description=_("webhook"))
    def endpoint_shown(self, delivery: WebhookDelivery) -> str:
        """The partner and its address."""
        return f"{delivery.endpoint.app} · {delivery.endpoint.label}"

    @display(description=_("event ID"))
    def id_shown(self, delivery: WebhookDelivery) -> str:
        """What the partner knows it by."""
        return mono(delivery.webhook_id)

    @display(description=_("state"), ordering="state")
    def state_shown(self, delivery: WebhookDelivery) -> str:
        """Where it is."""
        return badge(delivery.get_state_display(), STATE_VARIANTS.get(delivery.state, "default"))

    @display(description=_("last result"))
    def result_column(self, delivery: WebhookDelivery) -> str:
        """What came of the last call."""
        return result_shown(delivery)

    @display(description=_("what is the matter"))
    def trouble_shown(self, delivery: WebhookDelivery) -> str:
        """Why it has not arrived, and what to do."""
        return trouble(delivery)

    @display(description=_("next try"))
    def next_shown(self, delivery: WebhookDelivery) -> Any:
        """When it is tried next, and until when."""
        if delivery.state in SETTLED:
            return "-"
        words = gettext("%(time)s, until %(end)s at most")
        return words % {"time": moment_text(delivery.available_at), "end": moment_text(delivery.give_up_at)}

    @display(description=_("content"))
    def content_shown(self, delivery: Any) -> str:
        """What is sent, as the user may see it."""
        return pre(shown_json(delivery.viewer, delivery.payload))


@admin.register(WebhookAttempt)
class WebhookAttemptAdmin(ReadOnly, AdministratorsOnly, BigTable, ScopedAdmin):
    """All calls to partners, newest first."""

    merchant_path = "delivery__merchant"
    list_display = ["started_at", "delivery", "result_column", "duration_ms"]
    list_select_related = ["delivery"]
    list_filter = [("result", ChoicesDropdownFilter)]
    ordering = ["-id"]
    fields = ["delivery", "started_at", "duration_ms", "result", "status", "answer"]
    readonly_fields = fields

    @display(description=_("result"))
    def result_column(self, attempt: WebhookAttempt) -> str:
        """What came of it."""
        return result_shown(attempt)


@admin.register(WebhookLane)
class WebhookLaneAdmin(ReadOnly, AdministratorsOnly, PortalAdmin):
    """How it goes with each address."""

    list_display = ["endpoint", "failures", "failing_since", "next_at", "last_ok_at", "off_at", "off_reason"]
    list_select_related = ["endpoint"]
    ordering = ["endpoint"]
    fields = list_display
    readonly_fields = fields
