"""What administrators do with a webhook: test it, replace its secret, switch it off and on, send what failed again."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminRadioSelectWidget

from integrations.admin.webhook_words import lane_of, secret_words
from integrations.models import WebhookEndpoint
from integrations.models.webhooks import OffReason, SendResult
from integrations.webhooks import driving, resending, switching
from integrations.webhooks.events import new_test
from integrations.webhooks.signing import replace_secret
from merchants.admin.dialogs import dialog, go_to

KEEP_HOURS = [
    (24, _("for a day: both sign meanwhile")),
    (24 * 7, _("for a week: both sign meanwhile")),
    (0, _("not at all: it may be known to others")),
]


class NewSecretForm(BaseDialogForm):
    """Asks for how long the one before goes on."""

    keep = forms.TypedChoiceField(
        label=_("The present secret goes on"), choices=KEEP_HOURS, coerce=int, initial=24,
        widget=UnfoldAdminRadioSelectWidget,
    )  # fmt: skip


class SwitchOnForm(BaseDialogForm):
    """Asks what becomes of what is pending, and says how much it is."""

    form_before_template = "admin/integrations/webhookendpoint/count.html"
    pending = forms.ChoiceField(
        label=_("What is pending"), choices=[("send", _("send it now")), ("leave", _("leave it out"))], initial="send",
        widget=UnfoldAdminRadioSelectWidget,
    )  # fmt: skip

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """How many wait."""
        endpoint = _found(object_id)
        count = switching.pending_of(endpoint) if endpoint else 0
        return {"words": gettext("Pending events: %(count)s.") % {"count": count}}


class ResendForm(BaseDialogForm):
    """Says how many it will be."""

    form_before_template = "admin/integrations/webhookendpoint/count.html"

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """How many have failed."""
        endpoint = _found(object_id)
        count = resending.failed_of(endpoint).count() if endpoint else 0
        return {"words": gettext("Failed deliveries: %(count)s.") % {"count": count}}


class EndpointActions:
    """The buttons on a webhook's page."""

    actions_detail = ("test", "resend_failed", "new_secret", "switch_on", "switch_off")
    log_change: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that make sense as it stands."""
        endpoint = _found(object_id)
        names = {"test", "new_secret"}
        if endpoint is not None:
            off = lane_of(endpoint).off_at is not None
            names.add("switch_on" if off else "switch_off")
            if not off and resending.failed_of(endpoint).exists():
                names.add("resend_failed")
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("Send a test event"), url_path="test", permissions=["change"], icon="send",
        dialog=dialog(
            _("Send a test event?"),
            _("An event of the type webhook.test is sent at once, signed like any other. It is tried once."),
            _("Send"),
        ),
    )  # fmt: skip
    def test(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Send it and show what came of it."""
        endpoint = WebhookEndpoint.objects.get(pk=object_id)
        delivery = new_test(endpoint)
        outcome = driving.send_test(delivery)
        self.log_change(request, endpoint, _("Sent a test event."))
        if outcome is not None and outcome.result is SendResult.OK:
            words = gettext("The partner took the test event (HTTP %(status)s, %(ms)s ms).")
            messages.success(request, words % {"status": outcome.status, "ms": outcome.duration_ms})
        else:
            messages.error(request, gettext("The test event was not taken; what came of it stands here."))
        return go_to(request, delivery)

    @action(
        description=_("New secret"), url_path="new-secret", permissions=["change"], icon="key",
        dialog=dialog(
            _("Make a new signing secret?"), _("It is shown once, on the next page."), _("Make it"), NewSecretForm
        ),
    )  # fmt: skip
    def new_secret(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Replace the secret and show the new one, this once."""
        with transaction.atomic():
            endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=object_id)
            keep = timedelta(hours=form.cleaned_data["keep"])
            secret = replace_secret(endpoint, keep=keep, now=timezone.now())
            self.log_change(request, endpoint, _("Made a new secret."))
        messages.success(request, secret_words(secret))
        return go_to(request, endpoint)

    @action(
        description=_("Switch off"), url_path="switch-off", permissions=["change"], icon="pause",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Switch this webhook off?"),
            _("Nothing is sent any more. What is pending is kept, and what happens in the next three days too."),
            _("Switch off"),
        ),
    )  # fmt: skip
    def switch_off(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Tell it nothing from now on."""
        endpoint = WebhookEndpoint.objects.get(pk=object_id)
        with transaction.atomic():
            if (lane := switching.locked_lane(endpoint.pk)) is not None:
                switching.switch_off(lane, OffReason.STAFF, timezone.now())
                self.log_change(request, endpoint, _("Switched off."))
        messages.success(request, gettext("The webhook is switched off."))
        return go_to(request, endpoint)

    @action(
        description=_("Switch on"), url_path="switch-on", permissions=["change"], icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            _("Switch this webhook on?"),
            _("Events go out again. Send a test event first, to know that the partner takes them."),
            _("Switch on"), SwitchOnForm,
        ),
    )  # fmt: skip
    def switch_on(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Tell it again, with or without what is pending."""
        endpoint = WebhookEndpoint.objects.get(pk=object_id)
        send = form.cleaned_data["pending"] == "send"
        with transaction.atomic():
            count = switching.switch_on(endpoint, send_pending=send)
            self.log_change(request, endpoint, _("Switched on."))
        words = gettext("Switched on. Events sent now: %(count)s.")
        if not send:
            words = gettext("Switched on. Events left out: %(count)s.")
        messages.success(request, words % {"count": count})
        return go_to(request, endpoint)

    @action(
        description=_("Resend what failed"), url_path="resend-failed", permissions=["change"], icon="replay",
        dialog=dialog(
            _("Send all failed deliveries of this webhook again?"),
            _("Each goes out under the ID it has had, so that the partner can tell which it has already."),
            _("Resend all"), ResendForm,
        ),
    )  # fmt: skip
    def resend_failed(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Queue them again."""
        endpoint = WebhookEndpoint.objects.get(pk=object_id)
        with transaction.atomic():
            count = len(resending.resend(resending.failed_of(endpoint)))
            self.log_change(request, endpoint, _("Sent what had failed again."))
        messages.success(request, resent_words(count))
        return go_to(request, endpoint)


def resent_words(count: int) -> str:
    """How many are on their way again."""
    words = ngettext("%(count)s delivery is queued again.", "%(count)s deliveries are queued again.", count)
    return words % {"count": count}


def _found(object_id: Any) -> WebhookEndpoint | None:
    known = object_id and str(object_id).isdecimal()
    return WebhookEndpoint.objects.select_related("lane").filter(pk=int(object_id)).first() if known else None
