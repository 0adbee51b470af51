"""Success means that dfire has accepted; whatever else it does, nothing is left of the push, here or there."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine
from integrations.outbox.calling import perform
from integrations.outbox.claiming import claim
from integrations.smart_coupon import confirming
from merchants.models import Merchant, SmartCouponAccount
from tests.hooks.confirming.helpers import is_refused, nothing_is_left, working
from tests.hooks.helpers import address_of, create_push, last_push, made, post
from tests.hooks.revisions import campaign
from tests.outbox.dfire import DELETE, SAVE, Dfire
from tests.outbox.helpers import drain_through, leases_run_out, time_passes

pytestmark = pytest.mark.django_db(transaction=True)


def test_success_means_that_dfire_has_it(platform: SmartCouponAccount, dfire: Dfire) -> None:
    told = create_push()
    with working():
        answer = post(address_of(platform), told)
    assert answer.status_code == 200, answer.content
    coupon_id = answer.json()["result"]["coupon_id"]
    assert dfire.promotion(coupon_id) is not None
    template = CouponTemplate.objects.get(coupon_id=coupon_id)
    assert template.status == TemplateStatus.PUBLISHED
    push = last_push()
    assert (push.status, push.answer, push.template) == (200, answer.json(), template)
    assert dfire.methods() == [SAVE], "told once, although it was paused and published again"
    again = post(address_of(platform), told)
    assert (again.json(), CouponTemplate.objects.count()) == (answer.json(), 1)
    assert confirming.finish_overdue() == 0


def test_other_accounts_do_not_wait(platform: SmartCouponAccount, dfire: Dfire) -> None:
    SmartCouponAccount.objects.update(confirm_with_dfire=False)
    assert post(address_of(platform), create_push()).status_code == 200
    assert dfire.methods() == []


def test_no_worker_is_a_refusal_in_time_and_nothing_is_ever_sent(platform: SmartCouponAccount, dfire: Dfire) -> None:
    began = time.monotonic()
    is_refused(post(address_of(platform), create_push()), "in time")
    assert 0.9 < time.monotonic() - began < 2.5
    nothing_is_left(dfire)
    assert dfire.methods() == []
    push = last_push()
    assert (push.status, push.template_id, push.answer["error"]["code"]) == (503, None, "unconfirmed")


def test_each_revision_is_refused_in_its_own_form(platform: SmartCouponAccount, dfire: Dfire) -> None:
    answer = post(address_of(platform), campaign(3))
    assert (answer.status_code, answer.json()["return_code"]) == (503, "fail")
    assert last_push().answer == answer.json()


def test_dfires_own_refusal_is_told_at_once(platform: SmartCouponAccount, dfire: Dfire, settings: LazySettings) -> None:
    settings.PUSH_CONFIRM_SECONDS = 20
    dfire.fault(SAVE, "refuse", message="菜品不存在")
    with working():
        is_refused(post(address_of(platform), create_push()), "菜品不存在")
    nothing_is_left(dfire)
    assert not OutboxRow.objects.filter(state=RowState.DEAD).exists(), "nothing is left for staff to mend"


def test_a_merchant_without_dfire_is_refused_at_once(
    platform: SmartCouponAccount, dfire: Dfire, settings: LazySettings
) -> None:
    settings.PUSH_CONFIRM_SECONDS = 20
    Merchant.objects.update(dfire_account=None)
    is_refused(post(address_of(platform), create_push()))
    assert not CouponTemplate.objects.exists()


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "latency", "latency_ms": 1500},
        {"fault": "latency_after", "latency_ms": 1500},
        {"fault": "drop_after"},
        {"fault": "garbage_after"},
        {"fault": "http_500_after"},
        {"fault": "html_502"},
        {"fault": "drop_before"},
        {"fault": "bad_signature"},
    ],
    ids=lambda fault: fault["fault"],
)
def test_whatever_dfire_does_late_or_badly_nothing_is_left(
    platform: SmartCouponAccount, dfire: Dfire, fault: dict[str, Any]
) -> None:
    dfire.fault(SAVE, times=None, **fault)
    with working():
        is_refused(post(address_of(platform), create_push()))
    time.sleep(1)  # what was under way lands
    dfire.behave()
    drain_through()
    nothing_is_left(dfire)


def test_a_deletion_waits_until_a_save_of_unknown_outcome_has_landed(
    platform: SmartCouponAccount, merchant: Merchant, dfire: Dfire
) -> None:
    dfire.fault(SAVE, "garbage_after", times=None)
    with working():
        is_refused(post(address_of(platform), create_push()))
    deletion = OutboxRow.objects.get(kind=RowKind.DELETE_PROMOTION)
    sent = OutboxRow.objects.get(kind=RowKind.SAVE_PROMOTION).attempts.latest("started_at").started_at
    assert merchant.dfire_account is not None
    assert deletion.available_at >= sent + timedelta(seconds=2 * merchant.dfire_account.timeout_seconds)
    assert DELETE not in dfire.methods()
    nothing_is_left(dfire)
    assert DELETE in dfire.methods()


def test_a_worker_that_dies_with_the_save_leaves_nothing(platform: SmartCouponAccount, dfire: Dfire) -> None:
    """It was sent, its outcome never came, and only then the deletion goes."""
    dfire.fault(SAVE, "latency_after", latency_ms=900)

    def claim_and_die() -> None:
        try:
            while not OutboxRow.objects.exists():
                time.sleep(0.02)
            [job] = claim(Merchant.objects.get().dfire_account_id or 0, 1).jobs
            perform(job)
        finally:
            connection.close()

    worker = threading.Thread(target=claim_and_die)
    worker.start()
    is_refused(post(address_of(platform), create_push()))
    worker.join(20)
    assert OutboxRow.objects.get(kind=RowKind.SAVE_PROMOTION).state == RowState.SENDING
    time_passes()
    engine.drain()
    assert DELETE not in dfire.methods(), "the save may still be on its way"
    leases_run_out()
    engine.drain()
    nothing_is_left(dfire)
    assert dfire.methods().count(SAVE) == 1


def test_what_is_refused_before_dfire_is_asked_is_refused_as_ever(platform: SmartCouponAccount) -> None:
    before = made()
    assert post(address_of(platform), create_push(coupon_amount=0)).status_code == 400
    assert made() == before
