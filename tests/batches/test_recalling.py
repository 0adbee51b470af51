"""A recalled batch or template is taken back: what is out, and only that."""

from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coupons import batches, lifecycle
from coupons.batches import working
from coupons.choices import BatchState, CouponStatus, EventKind
from coupons.errors import Reason, Refused
from coupons.models import CouponEvent, IssuedCoupon
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import Phase, RowKind, RowState
from merchants.models import Customer
from tests.batches.helpers import people, ran, ready
from tests.factories import issued, published

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "SLICE", 3)


def test_a_recall_takes_back_what_is_out_and_only_that() -> None:
    template = published(stock=20)
    before = issued(template)
    batch = ran(template, people(8))
    coupons = list(batch.coupons.order_by("pk"))
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([coupons[0].pk])[0], at=coupons[0].issued_at)
    IssuedCoupon.objects.filter(pk=coupons[1].pk).update(status=CouponStatus.REDEEMING)
    recall = batches.begin_recall(template, batch=batch, reason="写错了金额")
    late = issued(template)
    batches.work_all()
    recall.refresh_from_db()
    assert (recall.state, recall.total, recall.done, recall.refused) == (BatchState.DONE, 7, 6, 1)
    states = dict(IssuedCoupon.objects.values_list("pk", "status"))
    assert [states[one.pk] for one in coupons] == ["redeemed", "redeeming", *["revoked"] * 6]
    assert states[before.pk] == states[late.pk] == CouponStatus.ISSUED
    template.refresh_from_db()
    assert template.issued_count == 4
    event = CouponEvent.objects.get(coupon=coupons[2], kind=EventKind.REVOKED)
    assert event.data == {"reason": "写错了金额"}


def test_a_recall_asks_once_a_slice_however_many_coupons_it_has() -> None:
    """Delivered ones, those whose delivery is on its way, and those that dfire has never heard of."""
    asked = []
    for each in (2, 20):
        template = published()
        coupons = [issued(template) for _ in range(3 * each)]
        rows = {row.coupon_id: row for row in OutboxRow.objects.filter(coupon__in=coupons, kind=RowKind.DELIVER)}
        for coupon in coupons[:each]:
            with transaction.atomic():
                holding = lifecycle.Holding(appid="wx", openid="o1", mobile="13800138000")
                lifecycle.mark_delivered(lifecycle.lock([coupon.pk])[0], holding)
        for coupon in coupons[each : 2 * each]:
            OutboxAttempt.objects.create(
                row=rows[coupon.pk], phase=Phase.SEND, lease_token=uuid4(), started_at=timezone.now()
            )
        recall = batches.begin_recall(template, reason="x")
        with CaptureQueriesContext(connection) as queries:
            batches.work_all()
        recall.refresh_from_db()
        assert recall.done == 3 * each
        asked.append(len(queries))
        told = OutboxRow.objects.filter(kind=RowKind.WITHDRAW, template=template).values_list("coupon", flat=True)
        assert sorted(told) == [coupon.pk for coupon in coupons[: 2 * each]]
        states = OutboxRow.objects.filter(pk__in=[rows[c.pk].pk for c in coupons[2 * each :]]).values_list("state")
        assert set(states) == {(RowState.CANCELLED,)}
    assert asked[0] == asked[1] < 40


def test_a_recall_of_a_template_leaves_what_is_issued_after_it_was_asked_for() -> None:
    template = published()
    early = [issued(template) for _ in range(4)]
    recall = batches.begin_recall(template, reason="x")
    late = issued(template)
    batches.work_all()
    recall.refresh_from_db()
    assert recall.done == 4
    assert set(IssuedCoupon.objects.filter(pk__in=[c.pk for c in early]).values_list("status", flat=True)) == {
        "revoked"
    }
    late.refresh_from_db()
    assert late.status == CouponStatus.ISSUED


def test_what_is_still_issuing_or_has_nothing_out_is_not_recalled() -> None:
    template = published()
    batch = ready(template, people(2))
    with pytest.raises(Refused, match=Reason.BATCH_RUNS):
        batches.begin_recall(template, batch=batch, reason="x")
    batches.cancel(batch)
    batch.refresh_from_db()
    with pytest.raises(Refused, match=Reason.NOTHING_OUT):
        batches.begin_recall(template, batch=batch, reason="x")
    assert Customer.objects.count() == 0


def test_a_template_is_not_recalled_while_a_batch_of_it_still_issues() -> None:
    template = published()
    issued(template)
    batch = ready(template, people(2))
    batches.start(batch)
    with pytest.raises(Refused, match=Reason.BATCH_RUNS):
        batches.begin_recall(template, reason="x")
    batches.pause(batch)
    assert batches.begin_recall(template, reason="x").total == 1
