"""Comparisons on their pages: begun at a merchant, looked at by class, decided about by whom it concerns."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from config.navigation import drift_badge
from integrations.models import Finding, Reconciliation
from integrations.models.reconcile import Drift, FindingState, Repair, RunState
from merchants.models import Merchant
from tests.admin.conftest import World
from tests.admin.pages import act, act_on_selected, action_of, list_of, page_of, said, trail_of


def _run(merchant: Merchant, state: str = RunState.PLANNED, **fields: Any) -> Reconciliation:
    now = timezone.now()
    return Reconciliation.objects.create(
        merchant=merchant, mode="full", state=state, created_at=now, resume_at=now, **fields
    )


def _found(run: Reconciliation, kind: str, subject: str, repair: str, **fields: Any) -> Finding:
    details = {"status": "issued", "delivery": "delivered", "there": "absent"}
    return Finding.objects.create(
        run=run, kind=kind, subject=subject, repair=repair, details=details, read_at=timezone.now(), **fields
    )


@pytest.fixture
def run(world: World) -> Reconciliation:
    """A plan of the scoped member's merchant with three findings, one of which can only be accepted."""
    made = _run(world.own, customers_total=10, customers_done=10)
    _found(made, Drift.MISSING_THERE, world.coupon.code, Repair.DELIVER_AGAIN, coupon=world.coupon)
    _found(made, Drift.MISSING_THERE, world.failed.code, Repair.DELIVER_AGAIN, coupon=world.failed)
    _found(made, Drift.UNKNOWN_HERE, "1234123412341234", "")
    return made


def _states(run: Reconciliation) -> dict[str, str]:
    return dict(Finding.objects.filter(run=run).values_list("subject", "state"))


def test_a_merchants_page_begins_a_comparison(lili: Client, world: World, staff: User) -> None:
    assert "Compare with dfire" in lili.get(page_of(world.own)).content.decode()
    act(lili, world.own, "compare", mode="quick")
    run = Reconciliation.objects.get()
    assert (run.merchant, run.mode, run.started_by, run.state) == (world.own, "quick", staff, RunState.RUNNING)


def test_a_second_one_leads_to_the_one_that_runs(lili: Client, world: World) -> None:
    running = _run(world.own, RunState.RUNNING)
    response = lili.post(action_of(world.own, "compare"), {"_form_submitted": "1", "mode": "full"})
    assert response["Location"] == page_of(running)
    assert said(response) == ["This merchant is being compared already; wait for it, or cancel it."]


def test_a_merchant_without_an_account_has_no_button(lili: Client, world: World) -> None:
    Merchant.objects.filter(pk=world.own.pk).update(dfire_account=None)
    assert "Compare with dfire" not in lili.get(page_of(world.own)).content.decode()


def test_a_plans_page_counts_by_class_and_leads_to_the_findings(
    lili: Client, world: World, run: Reconciliation
) -> None:
    html = lili.get(page_of(run)).content.decode()
    link = f"{list_of(Finding)}?run__id__exact={run.pk}&kind__exact=missing_there&state__exact=open"
    assert f'href="{link}">2</a>' in html
    rows = lili.get(link).content.decode()
    assert world.coupon.code in rows
    assert "1234123412341234" not in rows


def test_all_of_a_class_are_repaired_after_asking(lili: Client, world: World, run: Reconciliation, staff: User) -> None:
    dialog = lili.get(action_of(run, "repair")).content.decode()
    assert "missing at dfire (2) → deliver it again" in dialog
    assert "unknown here" not in dialog  # it has no repair
    assert act(lili, run, "repair", kind="missing_there") == ["missing at dfire: 2 to be repaired."]
    assert _states(run) == {
        world.coupon.code: FindingState.QUEUED, world.failed.code: FindingState.QUEUED,
        "1234123412341234": FindingState.OPEN,
    }  # fmt: skip
    assert set(Finding.objects.filter(state="queued").values_list("decided_by", flat=True)) == {staff.pk}
    assert trail_of(run) == [(staff.username, "missing at dfire: 2 to be repaired.")]


def test_all_of_a_class_are_accepted_after_asking(lili: Client, run: Reconciliation) -> None:
    act(lili, run, "accept", kind="unknown_here")
    assert _states(run)["1234123412341234"] == FindingState.IGNORED


def test_a_class_that_is_not_there_cannot_be_chosen(lili: Client, run: Reconciliation) -> None:
    response = lili.post(action_of(run, "repair"), {"_form_submitted": "1", "kind": "still_held"})
    assert response.status_code == 200
    assert set(_states(run).values()) == {FindingState.OPEN}


def test_chosen_rows_are_repaired_after_asking(lili: Client, world: World, run: Reconciliation) -> None:
    rows = list(Finding.objects.exclude(subject=world.failed.code))
    assert "Repair these?" in act_on_selected(lili, rows, "repair_selected").content.decode()
    response = act_on_selected(lili, rows, "repair_selected", confirmed="yes")
    assert said(response)[0] == "1 finding: to be repaired"
    assert said(response)[1].startswith("1 left as they are")
    assert _states(run)[world.coupon.code] == FindingState.QUEUED
    assert _states(run)[world.failed.code] == FindingState.OPEN


def test_one_is_decided_on_its_own_page(lili: Client, world: World, run: Reconciliation) -> None:
    missing, other, unknown = Finding.objects.order_by("pk")
    act(lili, missing, "repair")
    act(lili, other, "accept")
    assert _states(run) == {
        missing.subject: FindingState.QUEUED, other.subject: FindingState.IGNORED, unknown.subject: FindingState.OPEN,
    }  # fmt: skip
    html = lili.get(page_of(unknown)).content.decode()
    assert action_of(unknown, "accept") in html
    assert action_of(unknown, "repair") not in html  # nothing mends it
    assert action_of(missing, "accept") not in lili.get(page_of(missing)).content.decode()


def test_a_plan_that_takes_much_away_names_the_numbers_and_asks(lili: Client, world: World) -> None:
    run = _run(world.own, RunState.NEEDS_CONFIRMATION, withdrawals=12, outstanding=100)
    found = _found(run, Drift.STILL_HELD, world.coupon.code, Repair.WITHDRAW_THERE, coupon=world.coupon)
    assert "12 of 100 coupons outstanding at dfire (12.0%)" in lili.get(page_of(run)).content.decode()
    act_on_selected(lili, [found], "repair_selected", confirmed="yes")
    assert Finding.objects.get().state == FindingState.OPEN
    assert "Take back 12 of 100 coupons" in lili.get(action_of(run, "confirm")).content.decode()
    unread = lili.post(action_of(run, "confirm"), {"_form_submitted": "1", "withdrawals": "12"})
    assert "Tick this only if" in unread.content.decode()
    assert act(lili, run, "confirm", withdrawals="11", sure="on")[0].startswith("It has moved on")
    act(lili, run, "confirm", withdrawals="12", sure="on")
    run.refresh_from_db()
    assert run.state == RunState.PLANNED


def test_a_running_one_shows_its_progress_and_can_be_stopped_and_go_on(lili: Client, world: World) -> None:
    run = _run(world.own, RunState.RUNNING, customers_total=40, customers_done=10)
    html = lili.get(page_of(run)).content.decode()
    assert '<progress max="40" value="10">' in html
    assert "HX-Refresh" not in lili.get(page_of(run), headers={"HX-Request": "true"})
    act(lili, run, "cancel")
    assert lili.get(page_of(run), headers={"HX-Request": "true"})["HX-Refresh"] == "true"
    act(lili, run, "go-on")
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_a_failed_one_says_why(lili: Client, world: World) -> None:
    run = _run(world.own, RunState.FAILED, message="25 无效签名")
    assert "25 无效签名" in lili.get(page_of(run)).content.decode()


@pytest.mark.parametrize("path", ["confirm", "repair", "accept", "cancel", "go-on"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_merchants_comparison_is_not_there(lili: Client, world: World, path: str, method: str) -> None:
    foreign = _run(world.other, withdrawals=7)
    found = _found(foreign, Drift.MISSING_THERE, world.other_coupon.code, Repair.DELIVER_AGAIN)
    form = {"_form_submitted": "1", "kind": "missing_there", "withdrawals": "7", "sure": "on"}
    assert getattr(lili, method)(action_of(foreign, path), form).status_code == 404
    assert lili.get(page_of(foreign)).status_code in (302, 404)
    assert world.other_coupon.code not in lili.get(list_of(Finding)).content.decode()
    assert lili.post(action_of(found, "repair"), {"_form_submitted": "1"}).status_code == 404
    act_on_selected(lili, [found], "repair_selected", confirmed="yes")
    assert Finding.objects.get().state == FindingState.OPEN


def test_another_merchant_cannot_be_compared(lili: Client, world: World) -> None:
    assert lili.post(action_of(world.other, "compare"), {"_form_submitted": "1", "mode": "full"}).status_code == 404
    assert not Reconciliation.objects.exists()


def test_who_may_only_look_decides_nothing(browser: Any, staff: User, run: Reconciliation) -> None:
    staff.user_permissions.remove(Permission.objects.get(codename="change_reconciliation"))
    client = browser(staff)
    assert client.get(page_of(run)).status_code == 200
    assert client.post(action_of(run, "repair"), {"_form_submitted": "1", "kind": "missing_there"}).status_code == 403
    assert client.post(action_of(run.merchant, "compare"), {"_form_submitted": "1", "mode": "full"}).status_code == 403
    assert set(_states(run).values()) == {FindingState.OPEN}


def test_the_sidebar_counts_what_is_to_be_decided(lili: Client, run: Reconciliation, world: World) -> None:
    _found(_run(world.other), Drift.UNKNOWN_HERE, "1", "")
    response = lili.get(list_of(Reconciliation))
    assert drift_badge(response.wsgi_request) == "3"  # type: ignore[attr-defined]
