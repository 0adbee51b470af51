"""Customers as partners name them: found, made, and given their openid, for which deliveries may wait."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from rest_framework import status

from coupons.errors import Reason, Refused
from integrations.models.partners import Scope
from integrations.partner_api.errors import ApiCode, ApiRefused
from integrations.partner_api.fields import LONGEST_NAME, NAMES, CustomerCall, Strict, read
from integrations.partner_api.owned import merchant_of
from integrations.partner_api.shapes import customer_shape
from integrations.partner_api.values import Name
from integrations.partner_api.view import Answer, ApiView
from integrations.strict_json import JsonObject
from merchants import customers
from merchants.models import Customer, Merchant


def named(merchant: Merchant, said: Mapping[str, Any], *, prefix: str = "") -> Customer:
    """The customer whom a call names by `identifier`, `mobile` or `openid`. An unknown identifier makes one.

    Args:
        prefix: what the call puts before these names (`to_`).

    Raises:
        ApiRefused: nobody has this mobile number or openid, or several have the number.
    """
    name = next(name for name in NAMES if f"{prefix}{name}" in said)
    field, value = f"{prefix}{name}", said[f"{prefix}{name}"]
    if name == "identifier":
        return customers.find_or_create(merchant, value)
    found = list(Customer.objects.filter(merchant=merchant, erased_at=None, **{name: value}).order_by("pk")[:2])
    if not found:
        raise ApiRefused(ApiCode.UNKNOWN_CUSTOMER, _("The merchant has no such customer."), attr=field)
    if len(found) > 1:
        raise ApiRefused(ApiCode.AMBIGUOUS_CUSTOMER, _("Several customers have this mobile number."), attr=field)
    return found[0]


class OneCustomer(ApiView):
    """One customer of one merchant, by the identifier."""

    scopes = {"PUT": Scope.CUSTOMERS_WRITE}

    def put(self, body: JsonObject) -> Answer:
        """Make or find the customer, and bind what is given. What waited for it goes out."""
        identifier = _identifier(self.kwargs["identifier"])
        said = read(CustomerCall, body)
        merchant = merchant_of(self.app, said["merchant_id"])
        try:
            with transaction.atomic():
                customer = customers.find_or_create(merchant, identifier)
                customers.bind(customer, openid=said.get("openid"), mobile=said.get("mobile"))
        except (customers.OpenidTaken, IntegrityError):  # the latter where somebody else binds it at the same moment
            raise Refused(Reason.OPENID_TAKEN) from None
        except customers.CustomerErased:
            raise Refused(Reason.CUSTOMER_ERASED) from None
        customer.refresh_from_db()
        return status.HTTP_200_OK, customer_shape(customer, merchant.merchant_id)


class InAddress(Strict):
    """The identifier stands in the address, and is checked as those in bodies are."""

    identifier = Name(max_length=LONGEST_NAME)


def _identifier(text: str) -> str:
    return str(read(InAddress, {"identifier": text})["identifier"])
