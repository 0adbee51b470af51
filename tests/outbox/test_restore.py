"""The database is an older one: what may have been sent since its dump is asked about before anything is sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections
from django.utils import timezone

from coupons import lifecycle
from coupons.choices import CouponStatus, Delivery
from coupons.models import CouponTemplate, IssuedCoupon, TemplateVersion
from integrations.models import OutboxAttempt, OutboxRow
from integrations.models.outbox import Phase, RowKind, RowState
from integrations.outbox import engine, gate, repair, restored
from integrations.outbox.claiming import claim
from integrations.sync.words import OPENID_MISSING
from merchants import customers
from merchants.models import Customer
from tests.factories import published
from tests.outbox.dfire import ASK_CUSTOMER, DELIVER, SAVE, WITHDRAW, Dfire
from tests.outbox.helpers import (
    drain_through,
    leases_run_out,
    nobody_else,
    one_coupon,
    results,
    revoke,
    row_of,
    time_passes,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _alone(template: CouponTemplate) -> None:
    """The portal has been stopped."""
    nobody_else()


_KEPT = (Customer, TemplateVersion, IssuedCoupon, OutboxRow)


@contextmanager
def forgotten() -> Iterator[None]:
    """What happens inside is not in the dump: the outside remembers it, and the database does not."""
    dump: list[tuple[Any, list[dict[str, Any]]]] = [(model, list(model.objects.values())) for model in _KEPT]
    attempts = list(OutboxAttempt.objects.values())
    yield
    OutboxAttempt.objects.all().delete()
    OutboxRow.objects.exclude(pk__in=[row["id"] for row in dump[-1][1]]).delete()
    for model, rows in dump:
        for row in rows:
            model.objects.filter(pk=row.pop("id")).update(**row)
    OutboxAttempt.objects.bulk_create(OutboxAttempt(**attempt) for attempt in attempts)


def after_restore(*arguments: str) -> str:
    said = StringIO()
    call_command("after_restore", *arguments, stdout=said)
    return said.getvalue()


def deliveries(dfire: Dfire) -> int:
    return len(dfire.calls(DELIVER))


def settled_once(dfire: Dfire, coupon: IssuedCoupon) -> None:
    """Delivered at dfire exactly once, without a refused second try, and here it is known."""
    drain_through()
    coupon.refresh_from_db()
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert (coupon.delivery, held["delivered"], held["refused_deliveries"]) == (Delivery.DELIVERED, 1, 0)
    assert coupon.delivered_openid == held["openid"]


def test_what_was_sent_after_the_dump_is_found_and_not_sent_again(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    with forgotten():
        engine.drain()
    assert row_of(coupon).attempts.count() == 0
    after_restore()
    settled_once(dfire, coupon)
    assert deliveries(dfire) == 1
    assert results(row_of(coupon)) == [("send", "assumed"), ("ask", "ok")]


def test_what_was_never_sent_goes_out_once_dfire_has_twice_said_that_it_has_nothing(
    template: CouponTemplate, dfire: Dfire
) -> None:
    coupon = one_coupon(template)
    after_restore()
    settled_once(dfire, coupon)
    assert [call for call in dfire.methods() if call in (ASK_CUSTOMER, DELIVER)] == [
        *(ASK_CUSTOMER, ASK_CUSTOMER, DELIVER, ASK_CUSTOMER)
    ]


def test_nothing_is_asked_before_a_call_of_the_old_portal_must_have_landed(template: CouponTemplate) -> None:
    coupon = one_coupon(template)
    before = timezone.now()
    after_restore()
    row = row_of(coupon)
    assert (row.state, row.phase) == (RowState.QUEUED, Phase.ASK)
    assert (row.available_at - before).total_seconds() >= 2 * template.merchant.dfire_account.timeout_seconds


def test_what_was_being_sent_when_the_dump_was_taken_is_asked_about(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    (job,) = claim(template.merchant.dfire_account_id, 1).jobs
    with forgotten():
        leases_run_out()
        drain_through()
    assert row_of(coupon).state == RowState.SENDING
    after_restore()
    row = row_of(coupon)
    assert (row.state, row.lost_leases) == (RowState.QUEUED, 0)
    assert row.available_at > job.lease_until, "whoever holds the lease may send until then"
    settled_once(dfire, coupon)
    assert results(row) == [("send", "lost"), ("send", "assumed"), ("ask", "ok")]


def test_one_that_was_asked_about_already_is_asked_about_anew(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "drop_before")
    coupon = one_coupon(template, openid="old")
    for _ in range(2):  # sent, and seen absent once
        time_passes()
        engine.drain()
    with forgotten():
        customers.bind(coupon.customer, openid="new")
        drain_through()
    assert row_of(coupon).absences == 1
    customers.bind(coupon.customer, openid="new")
    after_restore()
    assert row_of(coupon).absences == 0, "what was absent before the dump may have come since"
    settled_once(dfire, coupon)
    assert deliveries(dfire) == 2


def test_one_delivered_after_a_binding_that_the_dump_does_not_know_is_found_when_it_is_bound_again(
    template: CouponTemplate, dfire: Dfire
) -> None:
    coupon = one_coupon(template, openid="")
    with forgotten():
        customers.bind(coupon.customer, openid="bound")
        drain_through()
    after_restore()
    assert (row_of(coupon).state, row_of(coupon).last_message) == (RowState.WAITING, OPENID_MISSING)
    engine.drain()
    customers.bind(Customer.objects.get(pk=coupon.customer_id), openid="bound")
    settled_once(dfire, coupon)
    assert deliveries(dfire) == 1


def test_a_binding_that_is_taken_back_before_the_question_does_not_turn_it_into_a_sending(
    template: CouponTemplate, dfire: Dfire
) -> None:
    coupon = one_coupon(template, openid="")
    with forgotten():
        customers.bind(coupon.customer, openid="bound")
        drain_through()
    after_restore()
    customer = Customer.objects.get(pk=coupon.customer_id)
    customers.bind(customer, openid="other")
    Customer.objects.filter(pk=customer.pk).update(openid="")
    time_passes()
    engine.drain()
    assert (row_of(coupon).state, row_of(coupon).phase) == (RowState.WAITING, Phase.ASK)
    customers.bind(Customer.objects.get(pk=customer.pk), openid="bound")
    settled_once(dfire, coupon)
    assert deliveries(dfire) == 1


def test_a_rebinding_after_the_dump_that_is_told_again_is_asked_about_too(
    template: CouponTemplate, dfire: Dfire
) -> None:
    coupon = one_coupon(template, openid="old")
    with forgotten():
        customers.bind(coupon.customer, openid="new")
        engine.drain()
    after_restore()
    customers.bind(Customer.objects.get(pk=coupon.customer_id), openid="new")
    settled_once(dfire, coupon)
    assert [call["openid"] for call in dfire.calls(ASK_CUSTOMER)] == ["old", "new"]


def test_one_that_was_redeemed_after_the_dump_is_redeemed_here_once_dfire_is_asked(
    template: CouponTemplate, dfire: Dfire
) -> None:
    coupon = one_coupon(template)
    with forgotten():
        engine.drain()
        dfire.redeem(coupon.code)
    after_restore()
    drain_through()
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED


def test_a_withdrawal_is_looked_into_first(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    with forgotten():
        engine.drain()
    after_restore()
    drain_through()
    row = row_of(coupon, RowKind.WITHDRAW)
    assert (row.state, results(row)) == (RowState.DONE, [("send", "assumed"), ("ask", "ok")])
    assert len(dfire.calls(WITHDRAW)) == 1


@pytest.mark.parametrize("openid", ["bound", ""])
def test_one_that_is_revoked_before_dfire_was_asked_is_settled_and_then_taken_back(
    template: CouponTemplate, dfire: Dfire, openid: str
) -> None:
    coupon = one_coupon(template, openid=openid)
    with forgotten():
        customers.bind(coupon.customer, openid="bound")
        drain_through()
    after_restore()
    revoke(coupon)
    customers.bind(Customer.objects.get(pk=coupon.customer_id), openid="bound")
    drain_through()
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert (held["status"], held["delivered"]) == ("deleted", 1)
    assert row_of(coupon, RowKind.WITHDRAW).state == RowState.DONE


def test_a_save_is_repeated_because_the_last_terms_count(template: CouponTemplate, dfire: Dfire) -> None:
    other = published(merchant=template.merchant, title="第二张")
    row = OutboxRow.objects.get(template=other)
    with forgotten():
        engine.drain()
    saves = len(dfire.calls(SAVE))
    after_restore()
    row.refresh_from_db()
    assert (row.phase, row.tries) == (Phase.SEND, 0)
    assert row.available_at > timezone.now(), "a save of the old portal's must not land behind it"
    drain_through()
    assert len(dfire.calls(SAVE)) == saves + 1
    assert other.versions.get().saved_at is not None


@pytest.mark.parametrize("given_up", [False, True])
def test_a_failed_one_that_staff_retried_after_the_dump_is_asked_about_when_they_retry_it_again(
    template: CouponTemplate, dfire: Dfire, given_up: bool
) -> None:
    dfire.fault(DELIVER, "refuse")
    coupon = one_coupon(template)
    drain_through()
    row = row_of(coupon)
    assert row.state == RowState.DEAD
    if given_up:
        repair.cancel([row])
    with forgotten():
        assert repair.retry([row]) == 1
        drain_through()
    after_restore()
    row = row_of(coupon)
    assert row.state == (RowState.CANCELLED if given_up else RowState.DEAD), "that decision stays with staff"
    before = deliveries(dfire)
    lifecycle.resend(IssuedCoupon.objects.get(pk=coupon.pk)) if given_up else repair.retry([row])
    settled_once(dfire, coupon)
    assert deliveries(dfire) == before


def test_what_is_settled_stays_as_it_is(template: CouponTemplate) -> None:
    coupon = one_coupon(template)
    engine.drain()
    before = list(OutboxRow.objects.order_by("pk").values())
    assert "Nothing to mark" in after_restore()
    assert list(OutboxRow.objects.order_by("pk").values()) == before
    assert results(row_of(coupon)) == [("send", "ok")]


def test_a_second_run_changes_nothing(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "refuse")
    one_coupon(template)
    drain_through()
    for openid in ("a", "b", ""):
        one_coupon(template, openid=openid)
    claim(template.merchant.dfire_account_id, 1)
    published(merchant=template.merchant, title="第二张")
    said = after_restore()
    assert "5 outbox rows are uncertain now" in said
    for line in ("1  deliver, sending", "1  deliver, queued", "1  deliver, waiting", "1  deliver, dead",
                 "1  save_promotion, queued"):  # fmt: skip
        assert line in said
    rows, attempts = list(OutboxRow.objects.order_by("pk").values()), OutboxAttempt.objects.count()
    assert "Nothing to mark" in after_restore()
    assert (list(OutboxRow.objects.order_by("pk").values()), OutboxAttempt.objects.count()) == (rows, attempts)


def test_a_dump_of_a_database_that_was_restored_before_is_marked_again(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    after_restore()
    for _ in range(2):  # twice not there: it is to be sent now
        time_passes()
        engine.drain() if row_of(coupon).absences == 0 else _ask_without_sending(coupon)
    assert (row_of(coupon).phase, deliveries(dfire)) == (Phase.SEND, 0)
    with forgotten():
        engine.drain()
    after_restore()
    settled_once(dfire, coupon)
    assert deliveries(dfire) == 1


def _ask_without_sending(coupon: IssuedCoupon) -> None:
    from integrations.outbox import settling
    from integrations.outbox.calling import perform

    (job,) = claim(coupon.merchant.dfire_account_id, 1).jobs
    settling.settle(job, perform(job))


def test_all_batches_are_done(template: CouponTemplate) -> None:
    made = [one_coupon(template) for _ in range(5)]
    assert sum(restored.assume_sent(batch=2).values()) == 5
    assert {row_of(coupon).phase for coupon in made} == {Phase.ASK}


def test_while_others_are_connected_it_refuses_and_changes_nothing(template: CouponTemplate) -> None:
    coupon = one_coupon(template)
    with psycopg.connect(**connection.get_connection_params()):
        with pytest.raises(CommandError, match="Stop the web, the workers and the scheduler first"):
            after_restore()
        assert row_of(coupon).phase == Phase.SEND
        assert "1 outbox rows" in after_restore("--force")


def test_while_it_runs_no_worker_takes_a_row(template: CouponTemplate, dfire: Dfire) -> None:
    one_coupon(template)

    def work() -> None:
        engine.drain()
        connections.close_all()

    with gate.shut():
        worker = threading.Thread(target=work)
        worker.start()
        worker.join(10)
        assert not worker.is_alive()
        assert deliveries(dfire) == 0
    engine.drain()
    assert deliveries(dfire) == 1
