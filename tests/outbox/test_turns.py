"""Who goes first: what someone waits for, then the merchants in turn, and no account takes all threads."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine, picking
from integrations.outbox.claiming import claim
from merchants.models import DfireAccount, Merchant
from tests.conftest import APP_KEY, APP_SECRET
from tests.factories import MerchantFactory, published
from tests.outbox.dfire import WITHDRAW, Dfire
from tests.outbox.helpers import one_coupon, revoke, row_of

pytestmark = pytest.mark.django_db(transaction=True)


def copy_of(coupon: IssuedCoupon, copies: int) -> None:
    """A bulk issue, written straight into the tables: so many more coupons like this one, with their deliveries."""
    coupon_columns = [f.column for f in IssuedCoupon._meta.concrete_fields if f.name not in ("id", "code")]
    row_columns = [f.column for f in OutboxRow._meta.concrete_fields if f.name not in ("id", "coupon")]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO coupons_issuedcoupon (code, {', '.join(coupon_columns)})"
            f" SELECT to_char(%s::bigint * 1000000 + n, 'FM0000000000000000'), {', '.join(coupon_columns)}"
            " FROM coupons_issuedcoupon, generate_series(1, %s) AS n WHERE id = %s",
            [coupon.pk, copies, coupon.pk],
        )
        cursor.execute(
            f"INSERT INTO integrations_outboxrow (coupon_id, {', '.join(row_columns)})"
            f" SELECT coupon.id, {', '.join('o.' + name for name in row_columns)}"
            " FROM integrations_outboxrow AS o, coupons_issuedcoupon AS coupon"
            " WHERE o.coupon_id = %s AND coupon.customer_id = %s AND coupon.id <> %s ORDER BY coupon.id",
            [coupon.pk, coupon.customer_id, coupon.pk],
        )


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


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def assert_picked(account: DfireAccount) -> None:
    """Picked at all: the plan that this guards against compares every row with every other and does not end."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '10s'")
        assert len(picking.pick(account.pk, 16, timezone.now())) == 16
        assert picking.due_accounts(timezone.now()) == [account.pk]
        cursor.execute("RESET statement_timeout")


def assert_picked_by_index(account: DfireAccount) -> None:
    """The plan, not the time: times mean nothing on a machine that has other things to do."""
    assert_picked(account)
    with connection.cursor() as cursor:
        for sql in (picking._PICK, picking._DUE_ACCOUNTS):
            cursor.execute(f"EXPLAIN {sql}", {"account": account.pk, "now": timezone.now(), "most": 16})
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "using outbox_queue" in plan
            assert "Seq Scan on integrations_outboxrow" not in plan


def test_a_row_behind_100000_of_another_merchant_is_found_by_index_whatever_the_planner_believes(
    template: CouponTemplate, account: DfireAccount
) -> None:
    first_of_many = one_coupon(template)
    OutboxRow.objects.update(state=RowState.DONE)
    copy_of(first_of_many, 100_000)
    analyze()  # a long history, and nothing queued
    OutboxRow.objects.filter(kind=RowKind.DELIVER).update(state=RowState.QUEUED)
    other: Merchant = MerchantFactory(dfire_account=account)
    fine = published(merchant=other)
    TemplateVersion.objects.update(saved_at=timezone.now())
    OutboxRow.objects.filter(kind=RowKind.SAVE_PROMOTION).update(state=RowState.DONE)
    for _ in range(5):
        one_coupon(fine)
    assert_picked(account)  # with the statistics of an empty queue
    analyze()
    assert_picked_by_index(account)
    first = picking.pick(account.pk, 10, timezone.now())
    assert OutboxRow.objects.filter(pk__in=first, merchant=other).count() == 5
    assert_held_back_rows_are_passed_over(template, account)


def assert_held_back_rows_are_passed_over(template: CouponTemplate, account: DfireAccount) -> None:
    """As long as their template is not saved they stay behind, and the others go."""
    TemplateVersion.objects.filter(template=template).update(saved_at=None)
    assert len(picking.pick(account.pk, 16, timezone.now())) == 5


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
