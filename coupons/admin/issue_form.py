"""The dialog in which staff give one coupon of a template to one customer."""

from typing import Any

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from coupons import issuing
from coupons.choices import Source
from coupons.errors import Refused
from coupons.issuing import Through
from coupons.models import CouponTemplate, IssuedCoupon
from merchants import customers
from merchants.models import Customer, Merchant
from merchants.models.customer import is_mobile


class IssueForm(BaseDialogForm):
    """Asks to whom."""

    customer = forms.CharField(
        label=_("Customer"),
        max_length=128,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text=_("Mobile number, identifier or openid. An unknown one is entered as a new customer."),
    )

    def issue(self, template: CouponTemplate, *, username: str) -> IssuedCoupon | None:
        """Give the coupon; None, with the reason among the form's errors, if a rule says no."""
        named = self.cleaned_data["customer"].strip()
        try:
            with transaction.atomic():  # a refusal leaves no customer behind either
                return issuing.issue(
                    template=template,
                    customer=named_customer(template.merchant, named),
                    through=Through(source=Source.STAFF, actor=f"staff:{username}"),
                )
        except Refused as refused:
            self.add_error("customer", refused.message)
        except SeveralCustomers:
            self.add_error("customer", _("Several customers have this number; name one by identifier."))
        return None

    def add_error(self, field: str | None, error: Any) -> None:
        """Errors stand below the one field that is seen."""
        super().add_error(field or "customer", error)


class SeveralCustomers(Exception):
    """A mobile number names more than one customer."""


def named_customer(merchant: Merchant, named: str) -> Customer:
    """The merchant's customer of this identifier, openid or mobile number; unknown ones are made.

    Raises:
        SeveralCustomers: the number is several customers'.
    """
    known = Customer.objects.filter(merchant=merchant)
    if is_mobile(named) and not known.filter(identifier=named).exists():
        owners = list(known.filter(mobile=named)[:2])
        if len(owners) > 1:
            raise SeveralCustomers
        if owners:
            return owners[0]
    return customers.find_or_create(merchant, named)
