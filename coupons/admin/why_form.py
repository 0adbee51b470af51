"""What staff enter to ask why a coupon cannot be used. A GET form: its address can be sent to a colleague."""

import re
import unicodedata
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from coupons.admin.money import YuanField
from coupons.choices import Channel
from coupons.codes import CODE_DIGITS
from coupons.models import IssuedCoupon
from coupons.rules import Question
from coupons.validation import SENSIBLE_YEARS
from merchants.clock import SHANGHAI
from merchants.models import Merchant, Shop

_BETWEEN_DIGITS = re.compile(r"[\s\-–—]+")


class MomentInput(UnfoldAdminTextInputWidget):
    """The browser's own field for a day and a time, in local time."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        """The one form that browsers read; seconds only where there are some."""
        try:
            moment = parse_datetime(value) if isinstance(value, str) else value
        except ValueError:
            moment = None
        if not isinstance(moment, datetime):
            return str(value) if value else None
        local = moment if timezone.is_naive(moment) else moment.astimezone(SHANGHAI)
        return local.strftime("%Y-%m-%dT%H:%M:%S" if local.second else "%Y-%m-%dT%H:%M")


class WhyForm(forms.Form):
    """The question. `coupons` are those that the user may see; `address` is the page's own."""

    code = forms.CharField(
        label=_("code"), max_length=60,
        widget=UnfoldAdminTextInputWidget(
            {"inputmode": "numeric", "autocomplete": "off", "placeholder": _("16 digits"), "class": "portal-mono"}
        ),
    )  # fmt: skip
    shop = forms.ChoiceField(label=_("shop"), required=False, widget=UnfoldAdminSelectWidget())
    at = forms.DateTimeField(
        label=_("time"), required=False, help_text=_("Empty = now."), widget=MomentInput({"step": "any"})
    )
    amount = YuanField(label=_("bill (yuan)"), required=False, help_text=_("Before the coupon is taken off."))
    channel = forms.ChoiceField(
        label=_("channel"), required=False, choices=[("", _("not asked")), *Channel.choices],
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip

    def __init__(
        self, data: Any, *, coupons: QuerySet[IssuedCoupon], merchants: QuerySet[Merchant], address: str
    ) -> None:
        super().__init__(data)
        self.coupon: IssuedCoupon | None = None
        self._coupons = coupons
        for field in self.fields.values():
            field.label = capfirst(str(field.label))
        # The shops follow the code as soon as it has been entered.
        self.fields["code"].widget.attrs.update(
            {"hx-get": address, "hx-trigger": "change", "hx-include": "closest form", "hx-select": "#why-shop",
             "hx-target": "#why-shop", "hx-swap": "outerHTML"}
        )  # fmt: skip
        only = list(merchants[:2])
        self._offer_shops(only[0] if len(only) == 1 else None)

    def clean_code(self) -> str:
        """Sixteen digits, however they were grouped or typed, of a coupon that the user may see."""
        code = _BETWEEN_DIGITS.sub("", unicodedata.normalize("NFKC", self.cleaned_data["code"]))
        if len(code) != CODE_DIGITS or not (code.isascii() and code.isdigit()):
            raise ValidationError(_("A code has 16 digits."))
        self.coupon = self._coupons.filter(code=code).first()
        if self.coupon is None:
            raise ValidationError(_("There is no such coupon among your merchants."))
        self._offer_shops(self.coupon.merchant)
        return code

    def clean_at(self) -> datetime | None:
        """A year that a coupon can know."""
        moment: datetime | None = self.cleaned_data["at"]
        if moment is not None and moment.year not in SENSIBLE_YEARS:
            raise ValidationError(_("Years lie between 2000 and 2199."))
        return moment

    def question(self) -> Question:
        """What the rules are asked, once the form is valid; the moment is now where none was entered."""
        asked = self.cleaned_data
        return Question(
            moment=asked["at"] or timezone.now(),
            shop_entity_id=asked["shop"] or None,
            amount_fen=asked["amount"],
            channel=asked["channel"] or None,
        )

    def _offer_shops(self, merchant: Merchant | None) -> None:
        field: Any = self.fields["shop"]
        field.choices = [("", _("not asked"))]
        field.help_text = ""
        if merchant is None:
            field.help_text = _("The shops of its merchant are offered once the code has been entered.")
            return
        shops = Shop.objects.filter(merchant=merchant).order_by("name")
        field.choices += list(shops.values_list("entity_id", "name"))
        field.error_messages["invalid_choice"] = _("Choose a shop of this coupon's merchant.")
