"""A worker may die at any line: its rows come back, and what it may have sent is never simply sent again."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from coupons.choices import Delivery
from coupons.models import CouponTemplate
from integrations.models import OutboxAttempt
from integrations.models.outbox import Phase, RowKind, RowState
from integrations.outbox import engine, settling
from integrations.outbox.calling import Outcome, perform
from integrations.outbox.claiming import Job, claim
from tests.outbox.dfire import ASK_CUSTOMER, DELIVER, Dfire
from tests.outbox.helpers import drain_through, leases_run_out, one_coupon, results, revoke, row_of

pytestmark = pytest.mark.django_db(transaction=True)


def claim_one(template: CouponTemplate) -> Job:
    """What a worker holds right before it opens the socket."""
    [job] = claim(template.merchant.dfire_account_id or 0, 1).jobs
    return job


def test_an_attempt_is_committed_with_its_identity_before_anything_is_sent(
    template: CouponTemplate, dfire: Dfire
) -> None:
    coupon = one_coupon(template)
    claim_one(template)
    attempt = OutboxAttempt.objects.get(row=row_of(coupon))
    assert (attempt.result, attempt.identity["openid"]) == ("", coupon.customer.openid)
    assert row_of(coupon).state == RowState.SENDING
    assert dfire.calls(DELIVER) == []


def test_a_row_whose_worker_died_before_sending_is_asked_about_twice_and_then_sent(
    template: CouponTemplate, dfire: Dfire
) -> None:
    coupon = one_coupon(template)
    claim_one(template)
    engine.drain()
    assert row_of(coupon).state == RowState.SENDING, "its lease runs still"
    leases_run_out()
    engine.drain()
    row = row_of(coupon)
    assert (row.phase, row.lost_leases, results(row)[0]) == (Phase.ASK, 1, ("send", "lost"))
    drain_through()
    assert [call for call in dfire.methods() if call in (DELIVER, ASK_CUSTOMER)] == [
        *[ASK_CUSTOMER, ASK_CUSTOMER, DELIVER, ASK_CUSTOMER]
    ]
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert held["delivered"] == 1


def test_a_row_whose_worker_died_after_sending_is_found_and_not_sent_again(
    template: CouponTemplate, dfire: Dfire
) -> None:
    coupon = one_coupon(template)
    perform(claim_one(template))
    leases_run_out()
    drain_through()
    assert results(row_of(coupon)) == [("send", "lost"), ("ask", "ok")]
    assert len(dfire.calls(DELIVER)) == 1
    coupon.refresh_from_db()
    assert coupon.delivery == Delivery.DELIVERED


def test_a_late_result_under_an_old_lease_is_kept_and_changes_nothing(template: CouponTemplate, dfire: Dfire) -> None:
    coupon = one_coupon(template)
    job = claim_one(template)
    outcome = perform(job)
    leases_run_out()
    engine.drain()
    before = row_of(coupon)
    settling.settle(job, outcome)
    after = row_of(coupon)
    assert (after.state, after.phase, after.available_at) == (before.state, before.phase, before.available_at)
    coupon.refresh_from_db()
    assert coupon.delivery == Delivery.QUEUED
    assert results(after) == [("send", "ok")]
    drain_through()
    assert results(after) == [("send", "ok"), ("ask", "ok")]


def test_a_late_refusal_shows_that_there_is_nothing_to_ask_about(template: CouponTemplate, dfire: Dfire) -> None:
    dfire.fault(DELIVER, "refuse")
    coupon = one_coupon(template)
    job = claim_one(template)
    outcome = perform(job)
    leases_run_out()
    engine.drain()
    settling.settle(job, outcome)
    drain_through()
    assert results(row_of(coupon)) == [("send", "permanent"), ("send", "ok")]
    held = dfire.coupon(coupon.code)
    assert held is not None
    assert held["delivered"] == 1


def test_a_row_that_its_worker_always_dies_of_is_set_aside_and_the_others_go_on(
    template: CouponTemplate, dfire: Dfire
) -> None:
    deadly = one_coupon(template)
    for _ in range(settings.OUTBOX_MAX_LEASES):
        claim_one(template)
        leases_run_out()
        settling.recover_lost()
        row = row_of(deadly)
        row.available_at = timezone.now() - timedelta(seconds=1)
        row.save(update_fields=["available_at"])
    deadly.refresh_from_db()
    assert (row_of(deadly).state, deadly.delivery) == (RowState.DEAD, Delivery.FAILED)
    healthy = one_coupon(template)
    engine.drain()
    assert row_of(healthy).state == RowState.DONE
    revoke(deadly)
    drain_through()
    assert row_of(deadly, RowKind.WITHDRAW).state == RowState.DONE


def test_a_process_that_stood_still_does_not_send_when_its_lease_is_all_but_over(
    template: CouponTemplate, dfire: Dfire
) -> None:
    one_coupon(template)
    job = claim_one(template)
    late = Job(**{**{name: getattr(job, name) for name in Job.__slots__}, "lease_until": timezone.now()})
    outcome = perform(late)
    settling.settle(job, outcome)
    assert dfire.calls(DELIVER) == []
    row = row_of(template.coupons.get())
    assert (row.state, row.phase, results(row)) == (RowState.QUEUED, Phase.SEND, [("send", "retryable")])


def test_a_lease_outlives_the_longest_call(template: CouponTemplate) -> None:
    one_coupon(template)
    job = claim_one(template)
    assert (job.lease_until - job.start_at).total_seconds() > job.account.timeout_seconds + 5


def test_two_workers_never_get_the_same_row(template: CouponTemplate) -> None:
    for _ in range(6):
        one_coupon(template)
    account_id = template.merchant.dfire_account_id or 0
    jobs = [*claim(account_id, 4).jobs, *claim(account_id, 4).jobs]
    assert len({job.row_id for job in jobs}) == len(jobs) == 6


def test_an_unknown_outcome_after_a_lost_lease_leaves_the_row_to_whoever_has_it(template: CouponTemplate) -> None:
    coupon = one_coupon(template)
    job = claim_one(template)
    leases_run_out()
    settling.recover_lost()
    row = row_of(coupon)
    row.available_at = timezone.now()
    row.save(update_fields=["available_at"])
    second = claim_one(template)
    settling.settle(job, Outcome(None, broken="gone mad"))
    row.refresh_from_db()
    assert (row.state, row.lease_token) == (RowState.SENDING, second.token)
