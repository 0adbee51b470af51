"""Callbacks at the same moment as each other, as a revoke and as the inbox's own retry: redeemed once, no deadlock."""

from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from coupons import lifecycle
from coupons.choices import CouponStatus, EventKind
from coupons.errors import Refused
from coupons.models import IssuedCoupon
from integrations import inbox as box
from integrations.models import DfireCallback
from merchants.models import DfireAccount, Merchant
from tests.factories import issued, published
from tests.hooks.helpers import callback, inbox, tell

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 20


@pytest.fixture(autouse=True)
def _no_rate_limit() -> Any:
    with override_settings(HOOK_RATE_LIMIT=0):
        yield


@pytest.fixture
def coupon(merchant: Merchant) -> IssuedCoupon:
    """A coupon that is out."""
    return issued(published(merchant=merchant))


def redeemed_once(coupon: IssuedCoupon) -> None:
    """Redeemed, by one event, and counted once."""
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED
    assert coupon.events.filter(kind=EventKind.REDEEMED).count() == 1
    coupon.template.refresh_from_db()
    assert coupon.template.issued_count == 1


def test_the_same_callback_twenty_times_at_once(tills: DfireAccount, coupon: IssuedCoupon, at_once: Any) -> None:
    form = callback(tills, coupon.code)
    answers = at_once([lambda: tell(form)] * MANY)
    assert {answer.status_code for answer in answers} == {200}
    assert inbox() == [(coupon.code, "applied", MANY - 1)]
    redeemed_once(coupon)


def test_twenty_different_callbacks_for_one_coupon(tills: DfireAccount, coupon: IssuedCoupon, at_once: Any) -> None:
    forms = [callback(tills, coupon.code, entityId=str(n)) for n in range(MANY)]
    answers = at_once([lambda form=form: tell(form) for form in forms])
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(state for _, state, _ in inbox()) == ["applied"] + ["repeated"] * (MANY - 1)
    redeemed_once(coupon)


def test_a_repeat_while_the_coupon_is_replaced_changes_neither(
    tills: DfireAccount, coupon: IssuedCoupon, at_once: Any
) -> None:
    form = callback(tills, coupon.code)
    assert tell(form).status_code == 200
    again = [lambda: tell(form).status_code] * 6
    results = at_once([*again, lambda: lifecycle.reissue(coupon.pk, reason="x", actor="staff:test"), *again])
    replacement = results[6]
    assert set(results[:6] + results[7:]) == {200}
    redeemed_once(coupon)
    replacement.refresh_from_db()
    assert (replacement.status, replacement.redeemed_at) == (CouponStatus.ISSUED, None)


def test_against_a_revoke_the_till_wins_whoever_is_first(tills: DfireAccount, merchant: Merchant, at_once: Any) -> None:
    template = published(merchant=merchant, stock=100)
    coupons = [issued(template) for _ in range(8)]

    def revoke(pk: int) -> bool:
        try:
            with transaction.atomic():
                lifecycle.revoke(lifecycle.lock([pk])[0], reason="x", actor="staff:test")
        except Refused:
            return False
        return True

    steps = []
    for coupon in coupons:
        form = callback(tills, coupon.code)
        steps += [lambda form=form: tell(form).status_code == 200, lambda pk=coupon.pk: revoke(pk)]
    results = at_once(steps)
    assert all(results[::2])
    for coupon, revoked in zip(coupons, results[1::2], strict=True):
        coupon.refresh_from_db()
        assert coupon.status == CouponStatus.REDEEMED
        assert coupon.flag == ("redeemed_when_revoked" if revoked else "")
    template.refresh_from_db()
    assert template.issued_count == len(coupons)


def test_against_the_expiry_and_the_retry(tills: DfireAccount, coupon: IssuedCoupon, at_once: Any) -> None:
    form = callback(tills, coupon.code)
    at_once([lambda: tell(form), lambda: box.retry_open(), lambda: lifecycle.expire_due()] * 5)
    redeemed_once(coupon)


def test_two_retries_at_once_settle_each_callback_once(tills: DfireAccount, merchant: Merchant, at_once: Any) -> None:
    coupons = [issued(published(merchant=merchant)) for _ in range(5)]
    for coupon in coupons:
        tell(callback(tills, coupon.code[::-1]))
    for kept, coupon in zip(DfireCallback.objects.order_by("id"), coupons, strict=True):
        DfireCallback.objects.filter(pk=kept.pk).update(code=coupon.code)
    assert sum(at_once([box.retry_open] * 4)) == 5
    for coupon in coupons:
        redeemed_once(coupon)
