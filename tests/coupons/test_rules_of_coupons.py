"""The rules asked about a coupon's row: what is fetched, and that nothing is changed."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.checking import check
from coupons.models import CouponEvent, IssuedCoupon
from coupons.rules import Question, RuleName
from tests.coupons.rules import codes, delivered
from tests.factories import ShopFactory, issued, published

pytestmark = pytest.mark.django_db


def usable(**fields: Any) -> IssuedCoupon:
    return delivered(issued(published(**fields)))


def now(**asked: Any) -> Question:
    return Question(moment=timezone.now(), **asked)


def test_a_delivered_coupon_is_usable_and_stays_as_it_is(django_assert_num_queries: Any) -> None:
    coupon = usable()
    before = IssuedCoupon.objects.filter(pk=coupon.pk).values().get(), CouponEvent.objects.count()
    with django_assert_num_queries(1):  # the merchant's shops
        assert check(coupon, now(amount_fen=5000)).usable
    assert (IssuedCoupon.objects.filter(pk=coupon.pk).values().get(), CouponEvent.objects.count()) == before


def test_one_that_has_not_reached_dfire_is_not() -> None:
    assert codes(check(issued(), now(amount_fen=5000))) == ["not_delivered"]


def test_the_merchants_own_shops_alone_are_good() -> None:
    coupon = usable()
    own, other = ShopFactory(merchant=coupon.merchant, name="西湖店"), ShopFactory()
    assert check(coupon, now(shop_entity_id=own.entity_id)).usable
    assert check(coupon, now(shop_entity_id=coupon.merchant.entity_id)).usable  # a single shop is the merchant itself
    assert codes(check(coupon, now(shop_entity_id=other.entity_id))) == ["wrong_shop"]


def test_the_terms_it_was_issued_under_count_not_the_templates_present_ones() -> None:
    coupon = usable(min_spend_fen=5000)
    template = coupon.template
    template.min_spend_fen = 9000
    template.save()
    assert check(coupon, now(amount_fen=5000)).usable


def test_an_end_that_has_passed_counts_before_the_clock_has_come_by() -> None:
    coupon = usable()
    over = coupon.valid_until + timedelta(seconds=1)
    assert coupon.status == "issued"
    judgement = check(coupon, Question(moment=over), now=over)
    assert codes(judgement) == ["expired"]
    assert judgement.rule(RuleName.STATUS).fails


def test_a_till_redemption_and_a_revoke_are_told_with_their_facts() -> None:
    coupon = usable()
    shop = ShopFactory(merchant=coupon.merchant, name="西湖店")
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], at=timezone.now(), shop=shop)
    used = check(IssuedCoupon.objects.get(pk=coupon.pk), now())
    assert codes(used) == ["already_redeemed"]
    assert "西湖店" in used.rule(RuleName.STATUS).words
    with transaction.atomic():
        other = lifecycle.lock([usable().pk])[0]
        lifecycle.revoke(other, reason="x", actor="staff:lili")
    assert codes(check(other, now())) == ["revoked"]


def test_the_document_shows_the_rules_in_their_order_and_its_example_runs(capsys: Any) -> None:
    page = (Path(settings.BASE_DIR) / "docs/rules.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == RuleName.values
    usable()
    example = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert example
    exec(compile(example[1], "docs/rules.md", "exec"), {})
    assert capsys.readouterr().out.startswith("False ['wrong_shop', 'below_minimum'] ")
