"""Figures agree with the coupons at every moment, whoever writes them, and merging changes no sum."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from coupons import figures, lifecycle, templates
from coupons.errors import Refused
from coupons.models import CouponTemplate, DayFigures, IssuedCoupon, RolledFigures
from coupons.models.figures import SUMMED
from merchants.clock import day_start, local_day
from tests.factories import ShopFactory, issued, published

pytestmark = pytest.mark.django_db


def sums(**of: Any) -> dict[str, int]:
    """The figures that are not nought."""
    totals = DayFigures.objects.filter(**of).aggregate(**{name: Sum(name, default=0) for name in SUMMED})
    return {name: value for name, value in totals.items() if value}


def redeem(coupon: IssuedCoupon, **told: Any) -> None:
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupon.pk])[0], **{"at": timezone.now(), **told})


def test_a_coupon_counts_on_the_day_of_its_issue_and_of_its_redemption() -> None:
    template = published()
    shop = ShopFactory(merchant=template.merchant)
    coupon, _other = issued(template), issued(template)
    redeem(coupon, shop=shop, saved_fen=900, paid_fen=4100)
    today = local_day(timezone.now())
    assert sums(day=today, shop=None) == {"issued": 2, "used": 1, "delivered": 1}
    assert sums(day=today, shop=shop) == {
        "redeemed": 1, "saved_fen": 900, "saved_known": 1, "paid_fen": 4100, "paid_known": 1, "spent_fen": 900,
    }  # fmt: skip


def test_what_a_till_does_not_say_counts_at_its_cost() -> None:
    coupon = issued(published())
    redeem(coupon)
    found = sums()
    assert (found["redeemed"], found["spent_fen"]) == (1, 1000)
    assert not {"saved_fen", "saved_known", "paid_fen", "paid_known"} & set(found)


def test_the_day_ends_at_midnight_in_shanghai() -> None:
    template = published()
    coupon, other = issued(template), issued(template)
    midnight = day_start(local_day(timezone.now()))
    IssuedCoupon.objects.filter(pk=coupon.pk).update(issued_at=midnight)
    IssuedCoupon.objects.filter(pk=other.pk).update(issued_at=midnight - timedelta(microseconds=1))
    assert sums(day=midnight.date()) == {"issued": 1}
    assert sums(day=midnight.date() - timedelta(days=1)) == {"issued": 1}


def test_a_revoked_or_deleted_coupon_is_taken_out_again() -> None:
    coupon = issued(published())
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([coupon.pk])[0], reason="x", actor="staff:test")
    assert sums() == {"issued": 1, "revoked": 1}


def test_a_shop_that_goes_leaves_its_redemptions_with_no_shop() -> None:
    template = published()
    shop = ShopFactory(merchant=template.merchant)
    redeem(issued(template), shop=shop)
    pk = shop.pk
    shop.delete()
    assert sums(shop_id=pk) == {}
    assert sums(shop=None)["redeemed"] == 1


def test_merging_keeps_every_sum_and_leaves_one_row_a_key() -> None:
    template = published()
    for coupon in [issued(template) for _ in range(4)][:3]:
        redeem(coupon)
    before = sums()
    assert DayFigures.objects.count() > 3
    assert not figures.merge()
    assert (DayFigures.objects.count(), sums()) == (1, before)
    issued(template)
    figures.merge()
    assert (DayFigures.objects.count(), sums()) == (1, {**before, "issued": 5})


def rolled(**of: Any) -> dict[str, int]:
    """The rolled sums that are not nought."""
    totals = RolledFigures.objects.filter(**of).aggregate(**{name: Sum(name, default=0) for name in SUMMED})
    return {name: value for name, value in totals.items() if value}


def test_what_is_merged_is_rolled_up_by_day_and_by_week() -> None:
    template = published()
    redeem(issued(template), saved_fen=900)
    moved = issued(template)
    today = local_day(timezone.now())
    monday = today - timedelta(days=today.weekday())
    IssuedCoupon.objects.filter(pk=moved.pk).update(issued_at=day_start(monday - timedelta(days=1)))
    assert rolled() == {}
    figures.merge()
    redeem(issued(template))
    figures.merge()
    of_days, of_weeks = {"template": None}, {"template": template}
    assert rolled(**of_days) == rolled(**of_weeks) == sums()
    assert rolled(**of_days, day=today) == rolled(**of_weeks, day=monday) == sums(day=today)
    assert rolled(**of_weeks, day=monday - timedelta(days=7)) == {"issued": 1}
    assert RolledFigures.objects.count() == 4


def test_rolled_figures_follow_whoever_changes_the_merged_ones() -> None:
    redeem(issued(published()))
    figures.merge()
    DayFigures.objects.update(issued=7)
    assert rolled(template=None)["issued"] == 7
    DayFigures.objects.all().delete()
    assert rolled() == {}


def test_rolled_figures_that_have_lost_something_are_put_right() -> None:
    redeem(issued(published()))
    figures.merge()
    right = rolled()
    RolledFigures.objects.filter(template=None).delete()
    RolledFigures.objects.update(issued=5)
    assert figures.check() == 2
    assert rolled() == right
    assert figures.check() == 0


def test_what_was_there_before_the_triggers_is_filled_in_once() -> None:
    template = published()
    redeem(issued(template))
    before = sums()
    DayFigures.objects.all().delete()
    issued(template)
    assert figures.check() > 0
    assert sums() == {**before, "issued": 2}
    assert figures.check() == 0


@pytest.mark.django_db(transaction=True)
def test_writers_do_not_wait_for_each_other_and_nothing_is_lost_to_a_merge() -> None:
    template = published()
    coupons = [issued(template) for _ in range(8)]
    both = threading.Barrier(len(coupons) + 1)

    def work(coupon: IssuedCoupon) -> None:
        with transaction.atomic():
            locked = lifecycle.lock([coupon.pk])[0]
            lifecycle.redeem_at_till(locked, at=timezone.now())
            both.wait(10)  # all of them are in the middle of it at once: nobody waits for another's figures
        connection.close()

    threads = [threading.Thread(target=work, args=[coupon]) for coupon in coupons]
    for thread in threads:
        thread.start()
    both.wait(10)
    figures.merge()
    for thread in threads:
        thread.join(10)
    figures.merge()
    assert sums() == {"issued": 8, "used": 8, "delivered": 8, "redeemed": 8, "spent_fen": 8000}


def test_the_budget_stops_issuing_and_what_ends_unused_frees_it() -> None:
    template: CouponTemplate = published(budget_fen=2000)
    coupon, other = issued(template), issued(template)
    template.refresh_from_db()
    assert template.committed_fen == 2000
    with pytest.raises(Refused) as refusal:
        issued(template)
    assert refusal.value.reason == "out_of_budget"
    yesterday = timezone.now() - timedelta(days=1)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(valid_from=yesterday, valid_until=yesterday)
    lifecycle.expire_due()
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([other.pk])[0], reason="x", actor="staff:test")
    template.refresh_from_db()
    assert (template.committed_fen, template.issued_count) == (0, 1)
    redeem(coupon)
    template.refresh_from_db()
    assert (template.committed_fen, template.issued_count) == (1000, 1)


def test_a_first_budget_counts_what_was_issued_before_anybody_said_what_one_costs() -> None:
    template = published(kind="discount", amount_fen=None, percent_paid=90)
    coupons = [issued(template) for _ in range(4)]
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([coupons[0].pk])[0], reason="x", actor="staff:x")
    template.refresh_from_db()
    template.budget_fen, template.cost_each_fen = 2999, 1000
    with pytest.raises(ValidationError, match="3000"):
        templates.save_edited(template)
    template.budget_fen = 4000
    templates.save_edited(template)
    template.refresh_from_db()
    assert template.committed_fen == 3000
    issued(template)
    with pytest.raises(Refused, match="out_of_budget"):
        issued(template)
    with transaction.atomic():
        lifecycle.revoke(lifecycle.lock([coupons[1].pk])[0], reason="x", actor="staff:x")
    template.refresh_from_db()
    assert template.committed_fen == 3000
    templates.save_edited(template)  # nothing is taken over twice
    template.refresh_from_db()
    assert template.committed_fen == 3000


def test_after_a_restore_without_triggers_the_figures_are_put_right(capsys: pytest.CaptureFixture[str]) -> None:
    redeem(issued(published()))
    right = sums()
    DayFigures.objects.all().delete()
    call_command("after_restore", "--force")
    assert sums() == right
    assert "sums of days corrected" in capsys.readouterr().out
    call_command("after_restore", "--force")
    assert "sums of days corrected" not in capsys.readouterr().out
