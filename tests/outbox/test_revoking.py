"""Revoked here at once, and taken back at dfire behind it, wherever the delivery stands."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine
from integrations.outbox.queue import EXPIRY_PRIORITY
from merchants.clock import day_start, local_day
from tests.outbox.dfire import ASK_CUSTOMER, DELIVER, WITHDRAW, Dfire
from tests.outbox.helpers import drain_through, events, one_coupon, results, revoke, row_of

pytestmark = pytest.mark.django_db(transaction=True)


def ledger_status(dfire: Dfire, coupon: IssuedCoupon) -> str:
    held = dfire.coupon(coupon.code)
    return str(held["status"]) if held else ""


def expire(coupon: IssuedCoupon) -> None:
    past = timezone.now() - timedelta(seconds=5)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(valid_from=past, valid_until=past)
    assert lifecycle.expire_due() == 1


@pytest.mark.parametrize("openid", ["", "bound"])
def test_what_dfire_was_never_told_is_cancelled_here_without_a_word(
    template: CouponTemplate, dfire: Dfire, openid: str
) -> None:
    coupon = one_coupon(template, openid=openid)
    revoke(coupon)
    drain_through()
    assert row_of(coupon).state == RowState.CANCELLED
    assert not OutboxRow.objects.filter(kind=RowKind.WITHDRAW).exists()
    assert {DELIVER, WITHDRAW, ASK_CUSTOMER}.isdisjoint(dfire.methods())


def test_what_dfire_only_turned_away_was_never_told_either(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "busy")
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    drain_through()
    assert row_of(coupon).state == RowState.CANCELLED
    assert WITHDRAW not in dfire.methods()


def test_a_delivered_coupon_is_withdrawn(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    engine.drain()
    assert ledger_status(dfire, coupon) == "deleted"
    assert events(coupon)[-2:] == ["revoked", "withdrawn"]


def test_a_coupon_that_is_on_its_way_is_delivered_and_then_withdrawn(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_after")
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    drain_through()
    assert [m for m in dfire.methods() if m != "dfire.shop.save.promotion"] == [DELIVER, ASK_CUSTOMER, WITHDRAW]
    assert ledger_status(dfire, coupon) == "deleted"


def test_an_uncertain_delivery_that_never_happened_is_not_sent_for_a_revoked_coupon(
    template: CouponTemplate, dfire: Dfire
) -> None:
    dfire.fault(DELIVER, "drop_before")
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    drain_through()
    assert len(dfire.calls(DELIVER)) == 1
    assert (row_of(coupon).state, row_of(coupon, RowKind.WITHDRAW).state) == ("cancelled", "done")
    assert dfire.coupon(coupon.code) is None


def test_a_failed_delivery_blocks_no_revoke(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "refuse")
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    drain_through()
    assert (coupon.status, row_of(coupon).state) == (CouponStatus.REVOKED, RowState.DEAD)
    assert WITHDRAW not in dfire.methods(), "dfire had refused it, so there was nothing to take back"


def test_one_that_was_used_at_the_till_first_is_redeemed_and_flagged(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    engine.drain()
    dfire.redeem(coupon.code)
    revoke(coupon)
    drain_through()
    coupon.refresh_from_db()
    assert (coupon.status, coupon.flag) == (CouponStatus.REDEEMED, "redeemed_when_revoked")
    row = row_of(coupon, RowKind.WITHDRAW)
    assert (row.state, results(row)) == (RowState.DONE, [("send", "permanent"), ("ask", "ok")])


def test_a_withdrawal_that_dfire_refuses_ends_with_staff(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    dfire.fault(WITHDRAW, "refuse", times=None, message="not today")
    drain_through()
    row = row_of(coupon, RowKind.WITHDRAW)
    assert (row.state, row.last_message) == (RowState.DEAD, "not today")
    assert events(coupon)[-1] == "withdrawal_failed"


@pytest.mark.parametrize(("fault", "calls"), [("drop_after", 1), ("drop_before", 2)])
def test_an_uncertain_withdrawal_is_asked_about(template: CouponTemplate, dfire: Dfire, fault: str, calls: int) -> None:
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    dfire.fault(WITHDRAW, fault)
    drain_through()
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert (held["status"], held["deleted"]) == ("deleted", 1)
    assert len(dfire.calls(WITHDRAW)) == calls


def test_revoking_again_says_nothing_more(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    revoke(coupon)
    drain_through()
    assert len(dfire.calls(WITHDRAW)) == 1


def test_a_coupon_that_ends_here_first_is_withdrawn_behind_deliveries_nobody_waits_for(
    template: CouponTemplate, dfire: Dfire
) -> None:
    coupon = one_coupon(template)
    engine.drain()
    expire(coupon)
    assert row_of(coupon, RowKind.WITHDRAW).priority == EXPIRY_PRIORITY
    engine.drain()
    assert ledger_status(dfire, coupon) == "deleted"


def test_a_coupon_that_was_never_sent_expires_without_a_word(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template, openid="")
    expire(coupon)
    drain_through()
    assert row_of(coupon).state == RowState.CANCELLED
    assert WITHDRAW not in dfire.methods()


@pytest.mark.parametrize(("days_ago", "withdrawn"), [(1, False), (0, True)])
def test_dfires_end_counts_to_the_close_of_its_day(
    template: CouponTemplate, dfire: Dfire, days_ago: int, withdrawn: bool
) -> None:
    """dfire names the end by 00:00 of the last day, on which its tills still take the coupon."""
    coupon = one_coupon(template)
    engine.drain()
    end = day_start(local_day(timezone.now()) - timedelta(days=days_ago))
    IssuedCoupon.objects.filter(pk=coupon.pk).update(dfire_valid_until=end)
    expire(coupon)
    drain_through()
    assert (WITHDRAW in dfire.methods()) == withdrawn


def test_staff_who_try_again_have_dfire_asked_first(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_after")
    coupon = one_coupon(template)
    engine.drain()
    OutboxRow.objects.filter(pk=row_of(coupon).pk).update(state=RowState.DEAD)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(delivery=Delivery.FAILED)
    resend(coupon)
    drain_through()
    assert len(dfire.calls(DELIVER)) == 1
    coupon.refresh_from_db()
    assert coupon.delivery == Delivery.DELIVERED


def test_staff_who_try_again_hasten_a_back_off_and_not_a_question(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "busy")
    backing_off = one_coupon(template)
    engine.drain()
    dfire.fault(DELIVER, "drop_after")
    uncertain = one_coupon(template)
    engine.drain()
    resend(backing_off)
    resend(uncertain)
    engine.drain()
    assert (row_of(backing_off).state, row_of(uncertain).state) == (RowState.DONE, RowState.QUEUED)


@pytest.mark.parametrize("openid", ["", "bound"])
def test_staff_who_try_again_what_waits_or_is_in_flight_change_nothing(template: CouponTemplate, openid: str) -> None:
    from integrations.outbox.claiming import claim

    coupon = one_coupon(template, openid=openid)
    claim(template.merchant.dfire_account_id or 0, 1)
    before = row_of(coupon).state
    resend(coupon)
    assert (row_of(coupon).state, coupon.outbox.count()) == (before, 1)


def resend(coupon: IssuedCoupon) -> None:
    with transaction.atomic():
        lifecycle.resend(lifecycle.lock([coupon.pk])[0])
