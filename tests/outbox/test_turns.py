"""Who goes first: what someone waits for, then the merchants in turn, and no account takes all threads."""

from datetime import timedelta

import pytest
from django.utils import timezone

from coupons.models import CouponTemplate, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine, picking
from integrations.outbox.claiming import claim
from merchants.models import DfireAccount
from tests.conftest import APP_KEY, APP_SECRET
from tests.factories import MerchantFactory, published
from tests.outbox.dfire import WITHDRAW, Dfire
from tests.outbox.helpers import copy_of, one_coupon, revoke, row_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_revocation_goes_before_a_thousand_deliveries(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    engine.drain()
    copy_of(one_coupon(template), 1000)
    revoke(coupon)
    [job] = claim(template.merchant.dfire_account_id or 0, 1).jobs
    assert job.call.method == WITHDRAW


@pytest.mark.parametrize("one_by_one", [True, False])
def test_merchants_take_turns(template: CouponTemplate, account: DfireAccount, one_by_one: bool) -> None:
    """A merchant with a long queue and the oldest rows does not keep another waiting, not even call by call."""
    copy_of(one_coupon(template), 500)
    other = published(merchant=MerchantFactory(dfire_account=account))
    TemplateVersion.objects.update(saved_at=timezone.now())
    OutboxRow.objects.filter(kind=RowKind.SAVE_PROMOTION).update(state=RowState.DONE)
    coupons = [one_coupon(other) for _ in range(4)]
    if one_by_one:
        for _ in range(40):
            [job] = claim(account.pk, 1).jobs
            OutboxRow.objects.filter(pk=job.row_id).update(state=RowState.DONE, lease_token=None, lease_until=None)
    else:
        assert len(claim(account.pk, 8).jobs) == 8
    assert {row_of(coupon).state for coupon in coupons} <= {RowState.DONE, RowState.SENDING}


def test_the_merchant_with_fewer_calls_in_flight_is_next(template: CouponTemplate, account: DfireAccount) -> None:
    copy_of(one_coupon(template), 50)
    claim(account.pk, 8)
    other = published(merchant=MerchantFactory(dfire_account=account))
    TemplateVersion.objects.update(saved_at=timezone.now())
    OutboxRow.objects.filter(kind=RowKind.SAVE_PROMOTION).update(state=RowState.DONE)
    coupons = [one_coupon(other) for _ in range(4)]
    jobs = claim(account.pk, 4).jobs
    assert {job.coupon_id for job in jobs} == {coupon.pk for coupon in coupons}


def test_no_account_takes_the_last_threads(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire, settings: object
) -> None:
    settings.OUTBOX_THREADS = 8  # type: ignore[attr-defined]
    account.max_concurrency = 100
    account.save()
    copy_of(one_coupon(template), 20)
    dfire.forget_limits()
    dfire.fault("*", "latency", times=None, latency_ms=100)
    engine.drain()
    assert dfire.limits(APP_KEY)["max_concurrent"] == 6


def test_rows_that_back_off_do_not_hide_those_behind_them(template: CouponTemplate, account: DfireAccount) -> None:
    copy_of(one_coupon(template), 100)
    OutboxRow.objects.filter(state=RowState.QUEUED).update(available_at=timezone.now() + timedelta(minutes=1))
    fresh = one_coupon(template)
    [job] = claim(account.pk, 10).jobs
    assert job.coupon_id == fresh.pk


def test_an_idle_account_is_not_asked_for_rows(template: CouponTemplate, account: DfireAccount) -> None:
    DfireAccount.objects.create(name="idle", base_url="http://127.0.0.1:9/", app_key="idle", app_secret=APP_SECRET)
    one_coupon(template)
    assert picking.due_accounts(timezone.now()) == [account.pk]
