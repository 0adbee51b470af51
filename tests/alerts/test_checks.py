"""Every minute a clock looks what is the matter and what is over."""

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone

from coupons.models import IssuedCoupon
from integrations import inbox, tasks
from integrations.alerts.checks import check
from integrations.alerts.incidents import raise_incident
from integrations.models import AccountState, DfireCallback, Incident, OutboxRow
from integrations.models.alerts import IncidentKind
from integrations.models.inbox import Decision
from integrations.outbox import repair
from merchants.models import DfireAccount, Merchant
from tests.alerts.helpers import open_kinds
from tests.alerts.test_incidents import at_once
from tests.factories import CustomerFactory, DfireAccountFactory, MerchantFactory, ShopFactory, issued, published

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def merchant() -> Merchant:
    """A merchant at an account of its own."""
    made: Merchant = MerchantFactory(entity_id="10000001")
    return made


@pytest.fixture
def coupon(merchant: Merchant) -> IssuedCoupon:
    """A coupon that dfire has not been told of."""
    return issued(published(merchant=merchant))


def queued_for(minutes: float) -> None:
    then = timezone.now() - timedelta(minutes=minutes)
    OutboxRow.objects.update(created_at=then, queued_at=then, available_at=then)


def stop(account: DfireAccount | None) -> None:
    AccountState.objects.update_or_create(account=account, defaults={"stopped_at": timezone.now(), "stop_code": "25"})


def callback(account: DfireAccount | None, entity_id: str, code: str = "9999888877776666") -> DfireCallback:
    assert account is not None
    told = inbox.Redemption(
        code=code, promotion_id="1", entity_id=entity_id, sent_at=timezone.now(), parameters={"code": code}
    )
    return inbox.take(account, told)


def test_all_is_well(coupon: IssuedCoupon) -> None:
    check()
    assert open_kinds() == []


def test_the_clock_runs_it() -> None:
    assert current_app.conf.beat_schedule["look for what is the matter"]["task"] == tasks.check_alerts.name


def test_a_stopped_account_that_nobody_told_of(merchant: Merchant) -> None:
    stop(merchant.dfire_account)
    tasks.check_alerts()
    assert open_kinds() == [("account_stopped", f"account:{merchant.dfire_account_id}")]
    AccountState.objects.update(stopped_at=None)
    tasks.check_alerts()
    assert open_kinds() == []


def test_a_queue_that_has_grown_too_old(merchant: Merchant, coupon: IssuedCoupon) -> None:
    queued_for(9)
    check()
    assert open_kinds() == []
    queued_for(11)
    check()
    assert open_kinds() == [("queue_too_old", f"merchant:{merchant.pk}")]
    assert Incident.objects.get().figures["count"] == 2, "the promotion and the coupon"
    OutboxRow.objects.update(state="done")
    check()
    assert open_kinds() == []


def test_a_queue_that_is_tried_again_and_again_is_too_old_all_the_same(coupon: IssuedCoupon) -> None:
    queued_for(11)
    OutboxRow.objects.update(available_at=timezone.now() + timedelta(seconds=20))
    check()
    assert [kind for kind, _ in open_kinds()] == ["queue_too_old"]


def test_what_waited_long_for_a_binding_is_not_late_when_it_comes(merchant: Merchant) -> None:
    customer = CustomerFactory(merchant=merchant, openid="")
    issued(published(merchant=merchant), customer)
    queued_for(500)
    OutboxRow.objects.filter(coupon=None).update(state="done")
    customer.openid = "o1"
    customer.save()
    assert OutboxRow.objects.filter(state="queued").count() == 1
    check()
    assert open_kinds() == []


def test_what_staff_retry_is_not_late_at_once(coupon: IssuedCoupon) -> None:
    queued_for(500)
    OutboxRow.objects.update(state="dead")
    repair.retry(OutboxRow.objects.all())
    check()
    assert open_kinds() == []


def test_a_queue_behind_a_stopped_account_is_told_as_that_and_has_time_to_catch_up(
    merchant: Merchant, coupon: IssuedCoupon
) -> None:
    queued_for(60)
    stop(merchant.dfire_account)
    check()
    assert [kind for kind, _ in open_kinds()] == ["account_stopped"]
    AccountState.objects.update(stopped_at=None)
    check()
    assert open_kinds() == []
    Incident.objects.update(
        opened_at=timezone.now() - timedelta(hours=2), closed_at=timezone.now() - timedelta(hours=1)
    )
    check()
    assert [kind for kind, _ in open_kinds()] == ["queue_too_old"]


def test_dead_letters_until_they_are_retried_or_given_up(merchant: Merchant, coupon: IssuedCoupon) -> None:
    OutboxRow.objects.update(state="dead")
    check()
    assert open_kinds() == [("dead_letters", f"merchant:{merchant.pk}")]
    repair.cancel(OutboxRow.objects.all())
    check()
    assert open_kinds() == []


def test_callbacks_that_fit_nothing_for_a_while(merchant: Merchant) -> None:
    told = callback(merchant.dfire_account, merchant.entity_id)
    check()
    assert open_kinds() == [], "its coupon may be on its way"
    DfireCallback.objects.update(received_at=timezone.now() - timedelta(minutes=6))
    check()
    assert open_kinds() == [("unmatched_callbacks", f"merchant:{merchant.pk}")]
    inbox.settle_by_hand(told, decision=Decision.DISMISSED, note="none of ours", actor="staff:lili")
    check()
    assert open_kinds() == []


def test_callbacks_are_told_to_whom_dfire_named_or_else_by_account(merchant: Merchant) -> None:
    account = merchant.dfire_account
    ShopFactory(merchant=merchant, entity_id="10000099")
    elsewhere = MerchantFactory(entity_id="20000001")
    MerchantFactory(entity_id="30000001", dfire_account=account)
    MerchantFactory(entity_id="30000001", dfire_account=account)
    for number, entity_id in enumerate(["10000001", "10000099", elsewhere.entity_id, "30000001", ""]):
        callback(account, entity_id, code=f"999988887777666{number}")
    DfireCallback.objects.update(received_at=timezone.now() - timedelta(minutes=6))
    check()
    counts = {incident.subject: incident.figures["count"] for incident in Incident.objects.all()}
    assert counts == {f"merchant:{merchant.pk}": 2, f"account:{merchant.dfire_account_id}": 3}


def test_what_others_have_raised_is_left_alone(merchant: Merchant) -> None:
    raise_incident(IncidentKind.DRIFT, merchant=merchant, figures={"count": 3})
    check()
    assert open_kinds() == [("drift", f"merchant:{merchant.pk}")]


def test_two_that_look_at_once_open_one_of_each(merchant: Merchant, coupon: IssuedCoupon) -> None:
    OutboxRow.objects.update(state="dead")
    stop(merchant.dfire_account)
    stop(DfireAccountFactory())
    at_once(4, check)
    assert len(open_kinds()) == Incident.objects.count() == 3
