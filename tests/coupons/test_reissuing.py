"""A redeemed coupon whose order was cancelled is replaced once, and the replacement stands in its place."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from coupons import lifecycle, templates
from coupons.choices import CouponStatus, EventKind
from coupons.errors import Reason, Refused
from coupons.models import CouponTemplate, DayFigures, IssuedCoupon, Reissue, TemplateVersion
from integrations.models import OutboxRow
from merchants.clock import day_end, local_day
from merchants.models import Customer
from tests.coupons.test_races import at_once, count
from tests.factories import CustomerFactory, issued, published

pytestmark = pytest.mark.django_db


def redeem(coupon: IssuedCoupon, **told: Any) -> lifecycle.TillOutcome:
    with transaction.atomic():
        return lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], **{"at": timezone.now(), **told})


def redeemed(template: CouponTemplate | None = None, customer: Customer | None = None, **options: Any) -> IssuedCoupon:
    coupon = issued(template, customer, **options)
    redeem(coupon)
    return coupon


def reissue(coupon: IssuedCoupon, **options: Any) -> IssuedCoupon:
    return lifecycle.reissue(coupon.pk, **{"reason": "订单取消", "actor": "staff:lili", **options})


def revoke(coupon: IssuedCoupon) -> None:
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="x", actor="staff:lili")


def made_over(coupon: IssuedCoupon) -> None:
    """Let its time have run out."""
    past = timezone.now() - timedelta(days=1)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(valid_from=past - timedelta(days=9), valid_until=past)


def counters(template: CouponTemplate) -> tuple[int, int]:
    template.refresh_from_db()
    return template.issued_count, template.committed_fen


def refusal(coupon: IssuedCoupon, **options: Any) -> Reason:
    with pytest.raises(Refused) as refused:
        reissue(coupon, **options)
    return refused.value.reason


def test_the_replacement_is_the_holders_under_the_frozen_terms_and_goes_to_dfire() -> None:
    first = redeemed()
    edited = CouponTemplate.objects.get(pk=first.template_id)
    edited.amount_fen = 100
    templates.save_edited(edited)
    templates.pause(edited)
    second = reissue(first)
    assert (second.customer, second.version, second.status) == (first.customer, first.version, CouponStatus.ISSUED)
    assert second.code != first.code
    assert second.valid_from <= timezone.now()
    assert (first.replaced_by.replacement, second.replaces.original) == (second, first)
    assert OutboxRow.objects.filter(coupon=second, kind="deliver", version=first.version).count() == 1
    first.refresh_from_db()
    assert first.status == CouponStatus.REDEEMED


def test_both_histories_say_who_and_why() -> None:
    first = redeemed(customer=None)
    number = first.customer.mobile
    second = reissue(first, reason=f"顾客 {number} 的订单取消")
    event = first.events.get(kind=EventKind.REISSUED)
    assert (event.actor, event.data["replacement"]) == ("staff:lili", second.pk)
    assert "订单取消" in event.data["reason"]
    assert number not in event.data["reason"]  # history holds no names
    assert second.events.get(kind=EventKind.ISSUED).data == {"replaces": first.pk}


def test_it_takes_nothing_from_stock_budget_and_limits() -> None:
    template = published(stock=1, budget_fen=1000, per_person_limit=2, per_person_daily_limit=2)
    customer = CustomerFactory(merchant=template.merchant)
    first = redeemed(template, customer)
    before = counters(template)
    second = reissue(first)
    assert counters(template) == before == (1, 1000)
    assert second.cost_fen == 0
    CouponTemplate.objects.filter(pk=template.pk).update(stock=None, budget_fen=None)
    issued(CouponTemplate.objects.get(pk=template.pk), customer)  # the first and its replacement count as one
    with pytest.raises(Refused) as refused:
        issued(CouponTemplate.objects.get(pk=template.pk), customer)
    assert refused.value.reason == Reason.PERSON_LIMIT


@pytest.mark.parametrize("end", ["revoked", "expired", "expired_then_revoked", "redeemed", "redeemed_after_revoke"])
def test_the_money_stays_committed_once_whatever_becomes_of_the_replacement(end: str) -> None:
    template = published(stock=5, budget_fen=5000)
    first = redeemed(template)
    second = reissue(first)
    if "expired" in end:
        made_over(second)
        assert lifecycle.expire_due() == 1
    if "revoke" in end:
        revoke(second)
    if end.startswith("redeemed"):
        redeem(second)
    assert counters(template) == (1, 1000)
    spent = DayFigures.objects.filter(template=template).aggregate(spent=Sum("spent_fen"), used=Sum("used"))
    assert spent["spent"] == 1000
    assert spent["used"] == (2 if end.startswith("redeemed") else 1)


def test_only_a_redeemed_coupon_is_replaced_and_only_once() -> None:
    coupon = issued()
    assert refusal(coupon) == Reason.NOT_REDEEMED
    redeem(coupon)
    reissue(coupon)
    assert refusal(coupon) == Reason.REPLACED
    assert Reissue.objects.count() == 1


def test_a_replacement_may_be_replaced_in_its_turn() -> None:
    template = published(per_person_limit=1)
    first = redeemed(template)
    second = reissue(first)
    assert refusal(second) == Reason.NOT_REDEEMED
    redeem(second)
    third = reissue(second)
    assert third.replaces.original.replaces.original == first
    assert counters(template) == (1, 1000)


def test_an_erased_customer_gets_none() -> None:
    coupon = redeemed()
    Customer.objects.filter(pk=coupon.customer_id).update(
        identifier=f"erased:{coupon.customer_id}", mobile="", openid="", erased_at=timezone.now()
    )
    assert refusal(coupon) == Reason.CUSTOMER_ERASED
    assert not Reissue.objects.exists()


def test_of_a_deleted_template_none_is_made_because_no_till_would_take_it() -> None:
    first = redeemed()
    TemplateVersion.objects.filter(pk=first.version_id).update(saved_at=timezone.now())
    templates.delete(first.template)
    assert refusal(first) == Reason.DELETED_AT_DFIRE
    assert not Reissue.objects.exists()
    assert IssuedCoupon.objects.count() == 1
    assert not first.events.filter(kind=EventKind.REISSUED).exists()


def test_of_an_ended_template_one_is_made() -> None:
    first = redeemed()
    templates.end(first.template)
    assert reissue(first).status == CouponStatus.ISSUED


def test_an_end_with_time_left_is_kept_to_the_second() -> None:
    told = timezone.now().replace(microsecond=0) + timedelta(days=5, seconds=7)
    assert reissue(redeemed(valid_until=told)).valid_until == told


def test_without_time_left_it_gets_as_many_days_as_the_terms_give() -> None:
    today = local_day(timezone.now())
    first = redeemed(published(valid_days=7))
    made_over(first)
    assert reissue(first).valid_until == day_end(today + timedelta(days=6))


def test_without_days_in_the_terms_it_gets_as_many_as_the_first_had_but_not_past_the_tills() -> None:
    today = local_day(timezone.now())
    short, long = (redeemed(published(end_date=today + timedelta(days=days))) for days in (30, 4))
    for first in (short, long):
        made_over(first)  # had ten days
    assert reissue(short).valid_until == day_end(today + timedelta(days=9))
    assert reissue(long).valid_until == day_end(today + timedelta(days=4))


def test_staff_may_name_the_end_but_not_one_that_has_passed() -> None:
    first = redeemed()
    assert refusal(first, valid_until=timezone.now() - timedelta(seconds=1)) == Reason.END_PASSED
    end = day_end(local_day(timezone.now()) + timedelta(days=100))
    assert reissue(first, valid_until=end).valid_until == end


def test_a_refusal_inside_another_transaction_leaves_it_usable() -> None:
    coupon = issued()
    with transaction.atomic():
        assert refusal(coupon) == Reason.NOT_REDEEMED
        assert IssuedCoupon.objects.filter(pk=coupon.pk).exists()
    assert connection.is_usable()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(3))
def test_ten_members_of_staff_at_once_make_one_replacement(attempt: int) -> None:
    first = redeemed()
    results = at_once(*[lambda: reissue(first)] * 10)
    assert (count(results, IssuedCoupon), count(results, Refused)) == (1, 9), results
    assert IssuedCoupon.objects.count() == 2
    assert first.events.filter(kind=EventKind.REISSUED).count() == Reissue.objects.count() == 1
    assert OutboxRow.objects.filter(kind="deliver").exclude(coupon=first).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_repeated_callback_at_the_same_moment_changes_nothing() -> None:
    coupons = [redeemed() for _ in range(4)]
    works: list[Any] = []
    for coupon in coupons:
        works += [lambda coupon=coupon: reissue(coupon), lambda coupon=coupon: redeem(coupon)]
    results = at_once(*works)
    assert all(isinstance(result, IssuedCoupon) for result in results[::2]), results
    assert set(results[1::2]) == {lifecycle.TillOutcome.REPEATED}
    for coupon in coupons:
        coupon.refresh_from_db()
        assert coupon.status == CouponStatus.REDEEMED
        assert coupon.replaced_by.replacement.status == CouponStatus.ISSUED


@pytest.mark.django_db(transaction=True)
def test_issuing_revoking_and_replacing_of_one_template_at_once_wait_for_nobody_for_ever() -> None:
    template = published(stock=100)
    customer = CustomerFactory(merchant=template.merchant)
    used = [redeemed(template, customer) for _ in range(4)]
    out = [issued(template, customer) for _ in range(4)]
    works: list[Any] = [lambda coupon=coupon: reissue(coupon) for coupon in used]
    works += [lambda coupon=coupon: revoke(coupon) for coupon in out]
    works += [lambda: issued(CouponTemplate.objects.get(pk=template.pk), customer)] * 4
    results = at_once(*works)
    assert count(results, Exception) == 0, results
    assert counters(template)[0] == 8
