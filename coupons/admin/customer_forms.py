"""The dialogs in which staff name one customer: to issue a coupon to, to give one on to."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from coupons import issuing, lifecycle
from coupons.approvals import limits
from coupons.approvals.limits import NeedsApproval
from coupons.choices import Source
from coupons.errors import Refused
from coupons.issuing import Through
from coupons.models import CouponTemplate, IssuedCoupon
from merchants import customers
from merchants.models import Customer, Merchant

T = TypeVar("T")


class CustomerForm(BaseDialogForm):
    """Asks to whom."""

    customer = forms.CharField(
        label=_("Customer"),
        max_length=128,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text=_("Mobile number, identifier or openid. An unknown one is entered as a new customer."),
    )

    def add_error(self, field: str | None, error: Any) -> None:
        """Errors stand below the one field that is seen."""
        super().add_error(field or "customer", error)

    def do_for(self, merchant: Merchant, service: Callable[[Customer], T]) -> T | None:
        """Call a service with the customer; None, with the reason among the form's errors, if a rule says no."""
        try:
            with transaction.atomic():  # a refusal leaves no customer behind either
                return service(named_customer(merchant, self.cleaned_data["customer"].strip()))
        except NeedsApproval as needs:
            self.add_error("customer", f"{needs.message} {_('“Issue to many” can be approved.')}")
        except Refused as refused:
            self.add_error("customer", refused.message)
        except SeveralCustomers:
            self.add_error("customer", _("Several customers have this number; name one by identifier."))
        return None


class IssueForm(CustomerForm):
    """Asks to whom a coupon is issued."""

    def issue(self, template: CouponTemplate, *, by: Any) -> IssuedCoupon | None:
        """Give a coupon of the template; None if a rule says no."""
        through = Through(source=Source.STAFF, actor=f"staff:{by.get_username()}")

        def give(customer: Customer) -> IssuedCoupon:
            coupon = issuing.issue(template=template, customer=customer, through=through)
            limits.one(template.pk, value_fen=coupon.cost_fen, gives=True, by=by)
            return coupon

        return self.do_for(template.merchant, give)


class TransferForm(CustomerForm):
    """Asks to whom a coupon is given on."""

    def transfer(self, coupon: IssuedCoupon, *, username: str) -> bool:
        """Give the coupon on; False if a rule says no."""

        def give(receiver: Customer) -> bool:
            receiver = Customer.objects.select_for_update(no_key=True).get(pk=receiver.pk)
            locked = lifecycle.lock([coupon.pk])[0]
            lifecycle.transfer(locked, receiver, actor=f"staff:{username}")
            return True

        return bool(self.do_for(coupon.merchant, give))


class SeveralCustomers(Exception):
    """A mobile number names more than one customer."""


def named_customer(merchant: Merchant, named: str) -> Customer:
    """The merchant's customer of this identifier, openid or mobile number; unknown ones are made.

    Raises:
        SeveralCustomers: the number is several customers'.
    """
    found = customers.find_named(merchant, [named])[named]
    if len(found) > 1:
        raise SeveralCustomers
    return Customer.objects.get(pk=found[0]) if found else customers.find_or_create(merchant, named)
