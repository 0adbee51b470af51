"""What is asked when a key is made, and what of one may be changed."""

import ipaddress
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from integrations.admin.api_key_words import too_many
from integrations.models import ApiKey
from integrations.partner_api import keys
from merchants.admin.fields import LinesField, PortalForm

KEEP, AT_ONCE = "", 0
OLD_ENDS = [
    (24, _("in 24 hours")),
    (24 * 7, _("in 7 days")),
    (AT_ONCE, _("at once")),
    (KEEP, _("when I say so")),
]
LIVES = [("", _("until I end it")), (90, _("for 90 days")), (365, _("for a year"))]


def _network(entry: str) -> None:
    ipaddress.ip_network(entry, strict=False)


def addresses_field() -> LinesField:
    """Addresses and networks, one a line."""
    return LinesField(
        label=_("Allowed addresses"),
        parse=_network,
        wrong=_("%(entry)s is neither an address nor a network."),
        placeholder="203.0.113.0/24",
        help_text=_("Addresses or networks, one a line. Empty = any address."),
    )


def _number(value: Any) -> int | None:
    return int(value) if value != "" else None


class NewKeyForm(BaseDialogForm):
    """Asks what the new key is for, how long it lives, and when the present one ends."""

    form_before_template = "admin/integrations/partnerapp/no_room.html"
    label = forms.CharField(
        label=_("Label"), max_length=60, required=False, widget=UnfoldAdminTextInputWidget(),
        help_text=_("Where it is used, for you."),
    )  # fmt: skip
    lives = forms.TypedChoiceField(
        label=_("The new key works"), choices=LIVES, coerce=_number, empty_value=None, required=False,
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    old_ends = forms.TypedChoiceField(
        label=_("The present key ends"), choices=OLD_ENDS, coerce=_number, empty_value=None, required=False, initial=24,
        widget=UnfoldAdminSelectWidget(),
        help_text=_("Long enough for the partner's application to change over."),
    )  # fmt: skip
    allowed_addresses = addresses_field()

    def __init__(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        found = ApiKey.objects.filter(app=object_id)
        live = [key for key in found.select_related("app").order_by("pk") if key.is_live(timezone.now())]
        self.present = live[0] if live else None
        if self.present is None:
            del self.fields["old_ends"]
        else:
            words = gettext("The present key %(key)s ends") % {"key": f"{self.present.prefix}…"}
            self.fields["old_ends"].label = words

    def get_before_template_context(self, request: HttpRequest, object_id: Any = None) -> dict[str, Any]:
        """Where two keys are live already, that there is no room."""
        try:
            if self.present is not None:
                keys.check_room(self.present.app)
        except keys.TooManyKeys as refusal:
            return {"no_room": too_many(refusal)}
        return {}

    def expires_at(self, now: datetime) -> datetime | None:
        """When the new key ends (aware)."""
        days = self.cleaned_data["lives"]
        return None if days is None else now + timedelta(days=days)

    def old_ends_at(self, now: datetime) -> datetime | None:
        """When the present key ends; None where nothing is said of it."""
        hours = self.cleaned_data.get("old_ends")
        return None if hours is None else now + timedelta(hours=hours)


class ApiKeyForm(PortalForm):
    """Label, end and addresses of a live key."""

    allowed_addresses = addresses_field()

    class Meta:
        model = ApiKey
        fields = ["label", "expires_at", "allowed_addresses"]

    def clean(self) -> dict[str, Any] | None:
        """An end lies ahead; and a key that has ended meanwhile stays ended, because another may have its place."""
        cleaned = super().clean() or self.cleaned_data
        if connection.in_atomic_block:
            keys.hold(self.instance.app)
        stored = ApiKey.objects.get(pk=self.instance.pk)
        now = timezone.now()
        if not stored.is_live(now):
            raise ValidationError(_("This key has ended and stays so. Make a new one on the app's page."))
        ends = cleaned.get("expires_at")
        if ends is not None and ends <= now:
            self.add_error("expires_at", _("This lies in the past. To end the key, press “End now”."))
        return cleaned
