"""Test data: the smallest merchant, template and customer that the real doors accept."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from coupons import issuing, templates
from coupons.choices import Kind, Source
from coupons.issuing import Through
from coupons.models import CouponTemplate, IssuedCoupon
from merchants.clock import local_day
from merchants.models import Customer, DfireAccount, Merchant, Shop, SmartCouponAccount

STAFF = Through(source=Source.STAFF, actor="staff:test")


class DfireAccountFactory(factory.django.DjangoModelFactory):
    """An account at a dfire that nobody listens at."""

    class Meta:
        model = DfireAccount

    name = factory.Sequence(lambda n: f"account-{n}")
    base_url = "http://127.0.0.1:9/router"
    app_key = factory.Sequence(lambda n: f"key-{n}")
    app_secret = "s3cr3t"
    max_requests_per_second = 0
    timeout_seconds = 1


class MerchantFactory(factory.django.DjangoModelFactory):
    """A merchant that is connected to dfire."""

    class Meta:
        model = Merchant

    merchant_id = factory.Sequence(lambda n: f"m{n}")
    name = factory.Sequence(lambda n: f"商户{n}")
    dfire_account = factory.SubFactory(DfireAccountFactory)
    entity_id = "99927548"
    plate_entity_id = "99927571"
    appid = "wxa0000000027822"


class ShopFactory(factory.django.DjangoModelFactory):
    """A shop."""

    class Meta:
        model = Shop

    merchant = factory.SubFactory(MerchantFactory)
    entity_id = factory.Sequence(lambda n: f"{n:08d}")
    name = factory.Sequence(lambda n: f"{n}号店")


class CustomerFactory(factory.django.DjangoModelFactory):
    """A customer with everything that a delivery needs."""

    class Meta:
        model = Customer

    merchant = factory.SubFactory(MerchantFactory)
    identifier = factory.Sequence(lambda n: f"138{n:08d}")
    mobile = factory.SelfAttribute("identifier")
    openid = factory.Sequence(lambda n: f"openid-{n}")


class SmartCouponAccountFactory(factory.django.DjangoModelFactory):
    """A smart-coupon account that may push for no merchant yet."""

    class Meta:
        model = SmartCouponAccount

    name = factory.Sequence(lambda n: f"platform-{n}")
    token = factory.Sequence(lambda n: f"token-{n}")


class CouponTemplateFactory(factory.django.DjangoModelFactory):
    """A draft: 10 yuan off from 50, from today for thirty days."""

    class Meta:
        model = CouponTemplate

    merchant = factory.SubFactory(MerchantFactory)
    title = "满50减10"
    kind = Kind.CASH
    amount_fen = 1000
    min_spend_fen = 5000
    start_date = factory.LazyFunction(lambda: local_day(timezone.now()))
    end_date = factory.LazyFunction(lambda: local_day(timezone.now()) + timedelta(days=30))


def published(**fields: Any) -> CouponTemplate:
    """A template that is being issued."""
    template: CouponTemplate = CouponTemplateFactory(**fields)
    templates.publish(template)
    template.refresh_from_db()
    return template


def issued(template: CouponTemplate | None = None, customer: Customer | None = None, **options: Any) -> IssuedCoupon:
    """A coupon given through the one door."""
    template = template or published()
    customer = customer or CustomerFactory(merchant=template.merchant)
    return issuing.issue(template=template, customer=customer, through=STAFF, **options)
