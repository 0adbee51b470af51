"""The dialogs in which staff decide about an entry of the inbox. Each asks for a reason, which is kept."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from coupons.models import IssuedCoupon
from integrations.models import DfireCallback
from integrations.models.inbox import Decision
from merchants.admin.base import visible_rows
from merchants.scopes import visible_merchants

BY_HAND = (Decision.ACCEPTED, Decision.ASKED, Decision.DISMISSED)
_MOST_OF_A_REASON = 200


def _reason() -> forms.CharField:
    return forms.CharField(
        label=_("Reason"), max_length=_MOST_OF_A_REASON, widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text=_("It is kept with the entry, with your name."),
    )  # fmt: skip


class EntryForm(BaseDialogForm):
    """A dialog on an entry's page."""

    def entry(self) -> DfireCallback | None:
        """The entry that the dialog is about, if the user may see it."""
        if self.object_id is None:
            return None
        rows: Any = visible_rows(admin.site, DfireCallback, self.request)
        found: DfireCallback | None = rows.filter(pk=self.object_id).first()
        return found


class ReasonForm(BaseDialogForm):
    """Asks why one decision is taken."""

    reason = _reason()


class SettleForm(BaseDialogForm):
    """Asks what has been decided about several entries, and why."""

    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[(one.value, one.label) for one in BY_HAND],
        widget=UnfoldAdminRadioSelectWidget,
    )
    reason = _reason()


class ApplyForm(EntryForm):
    """Asks to which coupon."""

    code = forms.CharField(
        label=_("Coupon code"), max_length=16,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "inputmode": "numeric"}),
        help_text=_("The coupon that the customer had. It becomes redeemed."),
    )  # fmt: skip
    reason = _reason()
    coupon: IssuedCoupon | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin with the coupon of the entry's code, if there is one."""
        super().__init__(*args, **kwargs)
        if (entry := self.entry()) is not None and self._own(entry.code) is not None:
            self.fields["code"].initial = entry.code

    def clean_code(self) -> str:
        """A coupon of the user's merchants; `coupon` has it then."""
        code: str = self.cleaned_data["code"].strip()
        self.coupon = self._own(code)
        if self.coupon is None:
            raise forms.ValidationError(_("No coupon of your merchants has this code."))
        return code

    def _own(self, code: str) -> IssuedCoupon | None:
        own: Any = visible_merchants(self.request.user)
        return IssuedCoupon.objects.filter(code=code, merchant__in=own).first()
