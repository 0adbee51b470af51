"""What is asked before a plan takes much away, what is decided, and who hears of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from coupons.choices import CouponStatus
from coupons.models import CouponTemplate
from integrations.models import Finding, Incident, Reconciliation
from integrations.models.alerts import IncidentKind
from integrations.models.reconcile import Drift, FindingState, RunState
from integrations.outbox import engine
from integrations.reconcile import deciding, nightly, planning, repairing, runs
from integrations.reconcile.runs import RunRefused
from integrations.reconcile.signals import drift_found
from merchants.clock import SHANGHAI
from merchants.models import Merchant
from tests.factories import MerchantFactory
from tests.outbox.helpers import drain_through, one_coupon, revoke
from tests.reconcile.dfire import Dfire
from tests.reconcile.helpers import agree, compare, delivered, plan, repair_all, side_by_side

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lili(db: None) -> User:
    return User.objects.create_user("lili", is_staff=True)


@pytest.fixture
def told() -> Iterator[list[dict[str, int]]]:
    """What `drift_found` said."""
    heard: list[dict[str, int]] = []

    def hear(counts: dict[str, int], **kwargs: Any) -> None:
        heard.append(counts)

    drift_found.connect(hear)
    yield heard
    drift_found.disconnect(hear)


def _still_held(template: CouponTemplate, dfire: Dfire, count: int) -> list[str]:
    """So many revoked coupons that dfire holds all the same."""
    coupons = delivered(template, count)
    for coupon in coupons:
        revoke(coupon)
    drain_through()
    for coupon in coupons:
        dfire.hold_again(coupon.code)
    return [coupon.code for coupon in coupons]


def test_a_plan_that_takes_back_five_percent_goes_without_asking(template: Any, dfire: Dfire, lili: User) -> None:
    delivered(template, 19)
    _still_held(template, dfire, 1)
    run = compare(template.merchant, by=lili)
    assert (run.state, run.withdrawals, run.outstanding) == (RunState.PLANNED, 1, 20)


def test_one_that_takes_back_more_stops_and_asks(template: Any, dfire: Dfire, lili: User) -> None:
    delivered(template, 18)
    codes = _still_held(template, dfire, 1)
    dfire.give_unknown("1234123412341234", openid=one_coupon(template).customer.openid)
    engine.drain()
    run = compare(template.merchant, by=lili)
    assert (run.state, run.withdrawals, run.outstanding) == (RunState.NEEDS_CONFIRMATION, 2, 21)
    with pytest.raises(RunRefused) as refusal:
        deciding.repair(run, Finding.objects.all(), by=lili)
    assert refusal.value.reason == "needs_confirmation"
    assert set(Finding.objects.values_list("state", flat=True)) == {FindingState.OPEN}
    with pytest.raises(RunRefused):
        runs.confirm(run, by=lili, withdrawals=1)  # another number than the plan's was read
    runs.confirm(run, by=lili, withdrawals=2)
    run.refresh_from_db()
    assert (run.state, run.confirmed_by) == (RunState.PLANNED, lili)
    repair_all(run, lili)
    assert dfire.coupon(codes[0])["status"] == "deleted"  # type: ignore[index]


def test_the_night_repairs_nothing_of_a_plan_that_asks(template: Any, dfire: Dfire) -> None:
    used = delivered(template, 3)[0]
    dfire.redeem(used.code)
    _still_held(template, dfire, 1)
    run = compare(template.merchant)
    repairing.repair_queued()
    used.refresh_from_db()
    assert (run.state, used.status) == (RunState.NEEDS_CONFIRMATION, CouponStatus.ISSUED)


def test_what_is_accepted_stays_and_settles_the_plan(
    template: Any, dfire: Dfire, lili: User, told: list[dict[str, int]]
) -> None:
    lost, also_lost = delivered(template, 2)
    dfire.lose(lost.code)
    dfire.lose(also_lost.code)
    run = compare(template.merchant, by=lili)
    assert told == [{Drift.MISSING_THERE: 2}]
    assert deciding.accept(run, Finding.objects.filter(subject=lost.code), by=lili) == 1
    run.refresh_from_db()
    assert run.state == RunState.PLANNED
    deciding.accept(run, Finding.objects.all(), by=lili)
    run.refresh_from_db()
    assert (run.state, told[-1]) == (RunState.APPLIED, {})
    found = Finding.objects.get(subject=lost.code)
    assert (found.state, found.decided_by) == (FindingState.IGNORED, lili)


def test_a_decision_holds_for_its_own_run_alone(template: Any, dfire: Dfire, lili: User) -> None:
    [coupon] = delivered(template)
    dfire.lose(coupon.code)
    first = compare(template.merchant, by=lili)
    second = compare(template.merchant, by=lili)
    assert deciding.repair(second, Finding.objects.filter(run=first), by=lili) == 0
    with pytest.raises(RunRefused):
        deciding.repair(first, Finding.objects.all(), by=lili)


def test_a_repair_that_breaks_stays_open_and_stops_no_other(template: Any, dfire: Dfire, lili: User) -> None:
    broken, lost = delivered(template, 2)
    dfire.lose(broken.code)
    dfire.lose(lost.code)
    run = compare(template.merchant, by=lili)
    Finding.objects.filter(subject=broken.code).update(repair="nobody_knows")
    repair_all(run, lili)
    found = dict(Finding.objects.values_list("subject", "state"))
    assert found == {broken.code: FindingState.OPEN, lost.code: FindingState.REPAIRED}
    assert Finding.objects.get(subject=broken.code).message == "our_fault"


def test_two_who_repair_hand_it_over_once(template: Any, dfire: Dfire, lili: User) -> None:
    coupons = delivered(template, 8)
    for coupon in coupons:
        dfire.lose(coupon.code)
    run = compare(template.merchant, by=lili)
    deciding.repair(run, Finding.objects.all(), by=lili)
    side_by_side(repairing.repair_queued, repairing.repair_queued)
    for coupon in coupons:
        assert coupon.events.filter(kind="reconciled").count() == 1
    drain_through()
    assert dfire.totals()["delivered_twice"] == 0


def test_the_unknown_cannot_be_taken_back_without_a_mobile_number(template: Any, dfire: Dfire, lili: User) -> None:
    delivered(template, 20)
    customer = one_coupon(template, mobile="").customer
    dfire.give_unknown("1234123412341234", openid=customer.openid)
    run = compare(template.merchant, by=lili)
    repair_all(run, lili)
    found = Finding.objects.get()
    assert (found.state, found.message) == (FindingState.OPEN, "no_mobile")


# --- The night ---


def _at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-23T{text}").replace(tzinfo=SHANGHAI)


def test_every_connected_merchant_is_compared_once_a_night(merchant: Merchant, settings: Any) -> None:
    settings.RECONCILE_NIGHTLY_SPREAD_MINUTES = 1
    MerchantFactory(dfire_account=None)
    assert nightly.begin_due(_at("03:29:59")) == 0
    assert nightly.begin_due(_at("03:30:00")) == 1
    Reconciliation.objects.update(state=RunState.APPLIED, created_at=_at("03:30:00"))
    assert nightly.begin_due(_at("04:00:00")) == 0
    run = Reconciliation.objects.get()
    assert (run.merchant, run.mode, run.started_by) == (merchant, "full", None)


def test_merchants_begin_one_after_another(merchant: Merchant) -> None:
    MerchantFactory(dfire_account=merchant.dfire_account)
    assert nightly.begin_due(_at("04:29:00")) == 2
    starts = {pk: pk % 60 for pk in Merchant.objects.values_list("pk", flat=True)}
    assert len(set(starts.values())) == 2
    Reconciliation.objects.all().delete()
    assert nightly.begin_due(_at("03:30:00") + timedelta(minutes=min(starts.values()))) == 1


def test_by_day_no_night_is_made_up_for(merchant: Merchant) -> None:
    assert nightly.begin_due(_at("05:30:00")) == 0


def test_a_merchant_that_is_being_compared_is_left_alone_by_the_night(merchant: Merchant, lili: User) -> None:
    runs.start(merchant, "quick", by=lili)  # type: ignore[arg-type]
    assert nightly.begin_due(_at("04:45:00")) == 0


def test_old_runs_are_forgotten_with_what_they_found(template: Any, dfire: Dfire, settings: Any) -> None:
    [coupon] = delivered(template)
    dfire.lose(coupon.code)
    run = compare(template.merchant)
    assert plan(run)
    assert nightly.forget_old() == 0
    Reconciliation.objects.update(created_at=timezone.now() - timedelta(days=settings.RECONCILE_KEEP_DAYS, minutes=1))
    assert nightly.forget_old() == 1
    assert not Finding.objects.exists()


# --- Alerts ---


def test_drift_is_an_incident_until_nothing_of_the_plan_is_open(template: Any, dfire: Dfire, lili: User) -> None:
    [coupon] = delivered(template)
    dfire.lose(coupon.code)
    run = compare(template.merchant)
    incident = Incident.objects.get(kind=IncidentKind.DRIFT)
    assert (incident.merchant, incident.closed_at, incident.figures["count"]) == (template.merchant, None, 1)
    repair_all(run, lili)
    agree(template.merchant)
    incident.refresh_from_db()
    assert incident.closed_at is not None


# --- On the move ---


def test_what_has_just_changed_is_left_for_the_next_run(template: Any, dfire: Dfire, settings: Any) -> None:
    settings.RECONCILE_QUIET_SECONDS = 10
    [coupon] = delivered(template)
    dfire.lose(coupon.code)
    run = compare(template.merchant)
    assert (plan(run), run.moving) == ([], 1)


def test_what_changes_while_dfire_is_read_is_no_drift(
    template: Any, dfire: Dfire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is revoked after the list that shows it was read, and withdrawn before that list is compared."""
    [coupon] = delivered(template)
    write = planning.write

    def revoke_then_write(run: Any, page: Any) -> bool:
        if page.customers:
            revoke(coupon)
            engine.drain()
        return write(run, page)

    monkeypatch.setattr(planning, "write", revoke_then_write)
    assert plan(compare(template.merchant)) == []


def test_a_delivery_on_its_way_is_no_drift(template: Any, dfire: Dfire) -> None:
    dfire.fault("dfire.shop.deliver.promotion", "drop_after")
    one_coupon(template)
    engine.drain()  # dfire holds it, and nobody here knows
    run = compare(template.merchant)
    assert (plan(run), run.moving) == ([], 1)
