"""The form of a coupon template: yuan instead of fen, checkboxes and lines instead of JSON.

Terms are judged by the model's own `clean`. Stock and budget are checked under the template's lock, which the admin's
transaction keeps until the service has stored it, so that the form never says yes to what the service refuses.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from coupons import counting, templates
from coupons.admin.money import YuanField, yuan
from coupons.admin.pickers import (
    PickerWidget,
    ShopPicker,
    ShopsField,
    TagsField,
    WeekdayToggles,
    dates_field,
    hours_field,
)
from coupons.choices import Channel, Kind, Weekday
from coupons.counting import COST_SAID_BY_KIND
from coupons.models import CouponTemplate
from merchants.admin.fields import ChecksField, PortalForm
from merchants.models import Merchant, Shop

_NO_HOURS = _("%(entry)s: both hours are needed, the second after the first. Split them at midnight.")
_NO_DATES = _("%(entry)s: the first date is needed, and the second does not lie before it.")
_TYPED_AS = {
    "amount_fen": "amount",
    "min_spend_fen": "min_spend",
    "budget_fen": "budget",
    "cost_each_fen": "cost_each",
}
_MOST_DIGITS = 12
NOT_SAVED_YET = _("Nothing has been saved yet: this is what you typed.")
BACK = "_back_to_form"  # posted from the page that asks: show the form once more, with what was typed, and save nothing


class CouponTemplateForm(PortalForm):
    """What staff type. `merchants` (set by the admin) are those whose shops are offered."""

    merchants: QuerySet[Merchant] = Merchant.objects.none()

    amount = YuanField(label=_("amount (yuan)"), required=False, help_text=_("Whole yuan: tills take nothing smaller."))
    min_spend = YuanField(label=_("least spend (yuan)"), required=False, help_text=_("Empty = any bill."))
    budget = YuanField(
        label=_("budget (yuan)"),
        required=False,
        max_digits=_MOST_DIGITS,
        help_text=_("Issuing stops when it is reached. Empty = no limit."),
    )
    cost_each = YuanField(
        label=_("cost of one (yuan)"),
        required=False,
        help_text=_("What one coupon counts in the budget: how much it takes off at most, by your estimate."),
    )
    menu_ids = TagsField(label=_("dish IDs"), help_text=_("dfire's IDs of the dishes."))
    shop_entity_ids = ShopsField(label=_("valid in these shops"), help_text=_("None chosen = all shops."))
    channels = ChecksField(label=_("channels"), choices=Channel.choices, help_text=_("None chosen = all channels."))
    use_weekdays = ChecksField(
        label=_("weekdays"),
        choices=Weekday.choices,
        coerce=int,
        widget=WeekdayToggles,
        help_text=_("None chosen = every day."),
    )
    use_times = hours_field(label=_("hours"), wrong=_NO_HOURS, help_text=_("No row = all day."))
    use_dates = dates_field(label=_("dates of use"), wrong=_NO_DATES, help_text=_("No row = every date."))
    blackout_dates = dates_field(
        label=_("excluded dates"), wrong=_NO_DATES, help_text=_("On these dates it may not be used.")
    )

    class Meta:
        model = CouponTemplate
        fields = [
            "merchant", "title", "reference", "notice", "kind", "percent_paid", "menu_ids", "start_date", "end_date",
            "valid_days", "shop_entity_ids", "channels", "use_weekdays", "use_times", "use_dates", "blackout_dates",
            "stock", "per_person_limit", "per_person_daily_limit",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial.setdefault("amount", self.instance.amount_fen)
            self.initial.setdefault("min_spend", self.instance.min_spend_fen or None)
            self.initial.setdefault("budget", self.instance.budget_fen)
            self.initial.setdefault("cost_each", self.instance.cost_each_fen)
        if "notice" in self.fields:
            self.fields["notice"].widget.attrs["rows"] = 3
        for field in self.fields.values():
            if isinstance(field.widget, PickerWidget):
                field.widget.label = field.label
            if isinstance(field.widget, ShopPicker):
                self._offer_shops(field.widget)

    def clean(self) -> dict[str, Any] | None:
        """Turn what was typed into the template's own fields; what does not belong to the kind falls away."""
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("kind")
        if kind in Kind.values:
            discount = Kind(kind).is_discount
            self.instance.amount_fen = None if discount else cleaned.get("amount")
            if not discount:
                cleaned["percent_paid"] = None
            if not Kind(kind).is_dish:
                cleaned["menu_ids"] = []
        self.instance.min_spend_fen = cleaned.get("min_spend") or 0
        self._check_shops(cleaned)
        self._take_budget(cleaned)
        self._check_limits(cleaned)
        if BACK in self.data:
            self.add_error(None, NOT_SAVED_YET)
        return cleaned

    def add_error(self, field: str | None, error: Any) -> None:
        """Put the model's words about fen beside the yuan; a field that has an error already keeps that one."""
        if isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            for name, found in error.error_dict.items():
                typed = _TYPED_AS.get(name, name)
                if not self.has_error(typed):
                    super().add_error(typed if typed in self.fields else None, found)
            return
        super().add_error(_TYPED_AS.get(field, field) if field else field, error)

    def _offer_shops(self, picker: ShopPicker) -> None:
        """The shops of the merchant that is chosen in the form now; those of the template that are gone, as such."""
        merchant = self._merchant_now()
        picker.merchant_chosen = merchant is not None
        picker.address = reverse("admin:coupons_coupontemplate_shops")
        picker.shops = shops_of(merchant)
        known = {entity_id for entity_id, _name in picker.shops}
        picker.shops += [(key, str(_("no such shop"))) for key in self.instance.shop_entity_ids if key not in known]

    def _merchant_now(self) -> Merchant | None:
        if "merchant" not in self.fields:
            return self.instance.merchant
        initial = self.get_initial_for_field(self.fields["merchant"], "merchant")
        chosen = self.data.get(self.add_prefix("merchant")) if self.is_bound else initial
        pk = str(getattr(chosen, "pk", chosen) or "")
        return self.merchants.filter(pk=int(pk)).first() if pk.isdecimal() else None

    def _check_shops(self, cleaned: dict[str, Any]) -> None:
        merchant: Merchant | None = cleaned.get("merchant") if "merchant" in self.fields else self.instance.merchant
        chosen = set(cleaned.get("shop_entity_ids") or ()) - set(self.instance.shop_entity_ids)
        if merchant is None or not chosen:
            return
        own = Shop.objects.filter(merchant=merchant, entity_id__in=chosen).values_list("entity_id", flat=True)
        if chosen - set(own):
            self.add_error("shop_entity_ids", _("Choose shops of this template's merchant."))

    def _take_budget(self, cleaned: dict[str, Any]) -> None:
        """A budget needs to know what one coupon counts in it; where the kind says so, nobody else does."""
        said_by_kind = cleaned.get("kind") in COST_SAID_BY_KIND
        self.instance.budget_fen = cleaned.get("budget")
        self.instance.cost_each_fen = None if said_by_kind else cleaned.get("cost_each")
        if cleaned.get("budget") is None or said_by_kind or "cost_each" in self.errors:
            return
        if not cleaned.get("cost_each"):
            self.add_error("cost_each", _("Say what one costs: without it the budget would never be used up."))

    def _check_limits(self, cleaned: dict[str, Any]) -> None:
        """No limit sinks below what is used of it."""
        stock, budget = cleaned.get("stock"), cleaned.get("budget")
        if not self.instance.pk or (stock is None and budget is None):
            return
        late = counting.late(self.instance)
        stored = templates.lock_template(self.instance.pk)
        if stock is not None and stock < stored.issued_count:
            words = _("%(count)s have been issued already; the stock cannot be smaller.")
            self.add_error("stock", words % {"count": stored.issued_count})
        promised = stored.committed_fen + late.money
        if budget is not None and budget < promised:
            words = _("¥%(yuan)s have been promised already; the budget cannot be smaller.")
            self.add_error("budget", words % {"yuan": yuan(promised)})


def shops_of(merchant: Merchant | None) -> list[tuple[str, str]]:
    """A merchant's shops as pairs of entity ID and name, in the order of their names."""
    if merchant is None:
        return []
    return list(Shop.objects.filter(merchant=merchant).order_by("name", "pk").values_list("entity_id", "name"))
