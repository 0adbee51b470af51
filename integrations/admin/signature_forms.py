"""What is pasted into the signature tool, one form for each kind of message."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

LONGEST = 64 * 1024


class PlainText(forms.CharField):
    """A text exactly as it was pasted: blanks and line breaks count in signatures."""

    def __init__(self, *, rows: int, placeholder: str = "", **kwargs: Any) -> None:
        attributes = {"rows": rows, "placeholder": placeholder, "spellcheck": "false", "autocomplete": "off",
                      "class": "portal-mono"}  # fmt: skip
        super().__init__(strip=False, max_length=LONGEST, widget=UnfoldAdminTextareaWidget(attributes), **kwargs)

    def to_python(self, value: Any) -> Any:
        """Browsers send every line break as two characters; what was pasted had one."""
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text


class SignatureForm(forms.Form):
    """An account, what was received, and what the other side says of it."""

    account: forms.ModelChoiceField = forms.ModelChoiceField(
        label=_("Account"), queryset=None, empty_label=None, widget=UnfoldAdminSelectWidget(),
        help_text=_("Its stored secret signs. It is not shown."),
    )  # fmt: skip
    message = PlainText(label=_("What was received"), rows=6)
    given = forms.CharField(
        label=_("Signature"), max_length=500, required=False, strip=False,
        widget=UnfoldAdminTextInputWidget({"class": "portal-mono", "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Only if it is not part of what was received."),
    )  # fmt: skip
    theirs = PlainText(
        label=_("The text that the other side signs"), rows=3, required=False,
        help_text=_("If they can tell it: you see where it differs from ours. Leave the secret out."),
    )  # fmt: skip

    def __init__(self, data: Any, *, accounts: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]


class DfireForm(SignatureForm):
    """A request to dfire, or a callback from it."""

    message = PlainText(
        label=_("Address, query or form"), rows=6,
        placeholder="appKey=…&method=dfire.shop.…&timestamp=…&v=1.0&sign=…",
    )  # fmt: skip


class SmartCouponForm(SignatureForm):
    """A push of the smart-coupon platform."""

    message = PlainText(label=_("Body of the push"), rows=8, placeholder='{"merchant_id": "88", …}')
    revision = forms.TypedChoiceField(
        label=_("Revision"), required=False, coerce=int, empty_value=None, widget=UnfoldAdminSelectWidget(),
        choices=[("", _("as its fields say")), (1, _("Revision 1")), (2, _("Revision 2")), (3, _("Revision 3"))],
    )  # fmt: skip
    field_order = ["account", "message", "revision", "given", "theirs"]


class WebhookForm(SignatureForm):
    """A webhook that we sent, as the partner received it."""

    given = None  # type: ignore[assignment]
    headers = PlainText(
        label=_("Headers"), rows=4, placeholder="webhook-id: …\nwebhook-timestamp: …\nwebhook-signature: v1,…"
    )
    message = PlainText(label=_("Body"), rows=6, placeholder='{"type": "coupon.redeemed", …}')
    field_order = ["account", "headers", "message", "theirs"]
