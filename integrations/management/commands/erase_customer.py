"""`manage.py erase_customer MERCHANT_ID IDENTIFIER --reason …`: forget a customer (docs/retention.md)."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from coupons import erasing as coupons_erasing
from integrations.retention import erasing
from merchants.erasing import of_names
from merchants.models import Customer, Erasure, Merchant


class Command(BaseCommand):
    """Begins the erasure, takes it as far as it goes now, and says what it still waits for."""

    help = "Erase a customer: names removed for good, usable coupons revoked and withdrawn, figures kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whom, and why."""
        parser.add_argument("merchant_id", metavar="MERCHANT_ID", help="as the smart-coupon platform knows it")
        parser.add_argument("identifier", metavar="IDENTIFIER", help="the customer's identifier, openid or mobile")
        parser.add_argument("--reason", required=True, help="for the record, without a name or number")

    def handle(self, *args: Any, **options: Any) -> None:
        """The same again goes on with the erasure, or says that it is done."""
        merchant = Merchant.objects.filter(merchant_id=options["merchant_id"]).first()
        if merchant is None:
            raise CommandError(f"No merchant has the ID {options['merchant_id']}.")
        erasure = self._erasure(merchant, options["identifier"].strip(), options["reason"].strip())
        if erasing.advance(erasure):
            self.stdout.write(f"Customer {erasure.customer_id} has been erased.")
            return
        left = erasing.progress(erasure)
        self.stdout.write(
            f"Customer {erasure.customer_id} is being erased: {left.usable} to be revoked, {left.redeeming} being "
            f"redeemed, {left.withdrawals} withdrawals left, {left.failed} failed, {left.given_on} given on "
            "and not moved at dfire yet. It goes on by itself; failed ones are retried or given up in the outbox."
        )

    def _erasure(self, merchant: Merchant, name: str, reason: str) -> Erasure:
        if not reason:
            raise CommandError("--reason must say why.")
        present = Customer.objects.filter(merchant=merchant, erased_at=None)
        customer = present.filter(identifier=name).first() or present.filter(openid=name).first()
        if customer is None:
            customer = self._by_mobile(list(present.filter(mobile=name)[:2]) if name else [])
        if customer is not None:
            return coupons_erasing.erase(customer, reason=reason, asked_by=f"command:{getpass.getuser()}")[0]
        earlier = of_names([name]).filter(customer__merchant=merchant).order_by("-pk").first()
        if earlier is None:
            raise CommandError(f"Merchant {merchant.merchant_id} has no customer of this name.")
        return earlier

    @staticmethod
    def _by_mobile(owners: list[Customer]) -> Customer | None:
        if len(owners) > 1:
            raise CommandError("Several customers have this number; name one by identifier.")
        return owners[0] if owners else None
