"""An account that dfire refuses is one incident and one notice, says what to mend, and is over when it is mended."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from coupons.models import CouponTemplate
from integrations.alerts.checks import check
from integrations.alerts.notices import send_due
from integrations.models import AccountState, AlertTarget, Incident, Notice, OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import engine, probing
from integrations.sandbox.answers import GatewayError, gateway_error
from merchants.models import DfireAccount
from tests.admin.pages import act, page_of
from tests.alerts.helpers import send_all
from tests.alerts.receivers import Web, web_server
from tests.conftest import APP_SECRET
from tests.outbox.dfire import ASK_PROMOTIONS, DELIVER, WITHDRAW, Dfire
from tests.outbox.helpers import drain_through, one_coupon, results, revoke, row_of, state_of
from tests.outbox.test_configuration import probe_is_due
from tests.outbox.workers import draining_processes

pytestmark = pytest.mark.django_db(transaction=True)

FAULTS = {
    "25": "enter the app secret again",
    "23": "The appKey is not known there",
    "2": f"The right to call {DELIVER} is missing",
    "27": f"The call {DELIVER} is not known there",
    "39": "set the clock of the portal&#x27;s server (NTP). It agreed with dfire&#x27;s",
    "30": "the portal needs an update",
    "42": "Check appKey, app secret, router address",
}


@pytest.fixture
def web() -> Iterator[Web]:
    """Where the notices arrive."""
    with web_server() as server:
        AlertTarget.objects.create(name="值班", address=server.address)
        yield server


def refuse(dfire: Dfire, code: str, times: int | None = None) -> None:
    dfire.fault(DELIVER, "bad_signature", times=times, code=code, message="拒绝")


@pytest.mark.parametrize("code", FAULTS)
def test_one_notice_however_many_rows_and_it_says_what_to_mend(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire, web: Web, admin_client: Client, code: str
) -> None:
    refuse(dfire, code)
    rows = [row_of(one_coupon(template)) for _ in range(8)]
    for _ in range(3):
        engine.drain()
        probe_is_due(account)
        check()
        send_due()
    assert len(web.bodies) == 1
    assert set(OutboxRow.objects.filter(pk__in=[row.pk for row in rows]).values_list("state", "tries")) == {
        (RowState.QUEUED, 0)
    }
    page = admin_client.get(page_of(account), headers={"accept-language": "en"}).content.decode()
    assert f"{code} 拒绝" in page
    assert FAULTS[code] in page
    dfire.behave()
    probe_is_due(account)
    engine.drain()
    assert {OutboxRow.objects.get(pk=row.pk).state for row in rows} == {RowState.DONE}
    assert Incident.objects.get().closed_at is not None
    send_all()
    assert [body["type"] for body in web.bodies] == ["failure", "success"]


def test_one_notice_however_many_workers(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire, web: Web
) -> None:
    refuse(dfire, "25", times=20)
    for _ in range(20):
        one_coupon(template)
    workers = draining_processes(3)
    for _ in range(60):
        probe_is_due(account)
        if all(worker.poll() is not None for worker in workers):
            break
        with suppress(subprocess.TimeoutExpired):
            workers[0].wait(0.5)
    for worker in workers:
        worker.kill()
        worker.wait(10)
    assert not OutboxRow.objects.filter(state=RowState.QUEUED).exists()
    assert dfire.totals()["delivered_twice"] == 0
    assert Incident.objects.count() == 1
    send_all()
    assert [body["type"] for body in web.bodies] == ["failure", "success"]


def test_the_incident_stands_or_falls_with_the_stop(template: CouponTemplate, account: DfireAccount, web: Web) -> None:
    account.app_secret = "outdated"
    account.save()
    one_coupon(template)
    engine.drain()
    incident = Incident.objects.get()
    assert (incident.account, incident.figures["code"]) == (account, "25")
    assert incident.opened_at - state_of(account).stopped_at < timedelta(seconds=1)
    assert Notice.objects.get().state == "queued"


def test_a_right_that_is_missing_for_one_call_is_tried_with_that_call(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire, web: Web
) -> None:
    held = one_coupon(template)
    engine.drain()
    refuse(dfire, "2")
    refused = one_coupon(template)
    engine.drain()
    revoke(held)
    for _ in range(3):
        probe_is_due(account)
        engine.drain()
    assert state_of(account).stopped_at is not None
    assert len(results(row_of(refused))) == 4, "though a withdrawal would go first and be allowed"
    assert dfire.calls(WITHDRAW) == []
    dfire.behave()
    probe_is_due(account)
    engine.drain()
    assert (len(dfire.calls(WITHDRAW)), row_of(refused).state) == (1, RowState.DONE)


def test_a_refusal_that_comes_and_goes_is_one_incident_and_one_notice(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire, web: Web
) -> None:
    for _ in range(4):
        refuse(dfire, "25", times=1)
        one_coupon(template)
        engine.drain()
        send_due()
        probe_is_due(account)
        engine.drain()
        assert state_of(account).stopped_at is None
        send_due()
    assert (Incident.objects.get().times, len(web.bodies)) == (4, 1)


@contextmanager
def dfire_with_another_clock(seconds: int) -> Iterator[str]:
    """A gateway that refuses every time, its own clock being so many seconds behind ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = gateway_error(GatewayError("39", "时间戳无效")).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(timezone.now() - timedelta(seconds=seconds), usegmt=False)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/router"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("seconds", "words"), [(3600, "seconds ahead of"), (-3600, "seconds behind")])
def test_a_wrong_clock_is_measured(
    template: CouponTemplate, account: DfireAccount, admin_client: Client, seconds: int, words: str
) -> None:
    with dfire_with_another_clock(seconds) as address:
        account.base_url = address
        account.save()
        one_coupon(template)
        engine.drain()
    measured = state_of(account).stop_clock_seconds
    assert measured == pytest.approx(seconds, abs=3)
    page = admin_client.get(page_of(account), headers={"accept-language": "en"}).content.decode()
    assert f"set the clock of the portal&#x27;s server (NTP). It is {abs(measured)} {words}" in page


def test_a_stopped_account_with_nothing_queued_goes_on_by_itself_too(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire
) -> None:
    refuse(dfire, "25")
    revoke(one_coupon(template))
    coupon = one_coupon(template)
    engine.drain()
    revoke(coupon)
    assert not OutboxRow.objects.filter(state=RowState.QUEUED).exists()
    assert (probing.try_idle(), len(dfire.calls(ASK_PROMOTIONS))) == (0, 0), "its next try is not due yet"
    dfire.behave()
    probe_is_due(account)
    assert probing.try_idle() == 1
    assert state_of(account).stopped_at is None
    assert Incident.objects.get().closed_at is not None


def test_a_stopped_account_with_nothing_queued_stays_stopped_while_it_is_refused(
    account: DfireAccount, template: CouponTemplate
) -> None:
    DfireAccount.objects.filter(pk=account.pk).update(app_secret=DfireAccount(app_secret="wrong").app_secret)
    AccountState.objects.filter(account=account).update(stopped_at=timezone.now(), stop_code="25")
    probe_is_due(account)
    assert (probing.try_idle(), probing.try_idle()) == (1, 0)
    assert state_of(account).stopped_at is not None


def test_the_connection_test_lets_a_mended_account_go_on(
    template: CouponTemplate, account: DfireAccount, admin_client: Client
) -> None:
    account.app_secret = "outdated"
    account.save()
    coupon = one_coupon(template)
    engine.drain()
    DfireAccount.objects.filter(pk=account.pk).update(app_secret=DfireAccount(app_secret=APP_SECRET).app_secret)
    assert act(admin_client, account, "test")
    assert state_of(account).probe_at <= timezone.now(), "the row that was refused decides"
    drain_through()
    assert (state_of(account).stopped_at, row_of(coupon).state) == (None, RowState.DONE)
