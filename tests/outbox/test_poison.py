"""A row that kills every worker that takes it: set aside after OUTBOX_MAX_LEASES leases, and it takes no other with it.

The workers here are processes of their own that the row really ends.
"""

import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from coupons.choices import Delivery
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine
from integrations.outbox.claiming import claim
from tests.admin.pages import act, page_of
from tests.outbox.dfire import Dfire
from tests.outbox.helpers import drain_through, leases_run_out, one_coupon, row_of, time_passes
from tests.outbox.workers import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)

KILLED = 70  # the exit code of a worker that the row has ended
_DRAINS_WITH_A_DEADLY_ROW = """
import os, sys
import django
django.setup()
from integrations.models.outbox import RowKind
from integrations.outbox import engine, handlers
from integrations.outbox.handlers import Call
from integrations.sync.deliveries import Deliver

class Deadly(Deliver):
    def plan(self, row):
        call = super().plan(row)
        kills = isinstance(call, Call) and row.coupon.code == sys.argv[1] and row.phase in sys.argv[2].split(",")
        return Call(call.method, lambda client: os._exit(70), call.identity) if kills else call

handlers.register(RowKind.DELIVER, Deadly())
engine.drain()
"""


def worker_of(deadly: IssuedCoupon, phases: str) -> int:
    """Let a worker process drain what is due; its exit code."""
    command = [sys.executable, "-c", _DRAINS_WITH_A_DEADLY_ROW, deadly.code, phases]
    return subprocess.run(command, env=environment(), cwd=ROOT, timeout=60).returncode


def work_until_quiet(deadly: IssuedCoupon, phases: str) -> int:
    """One worker after another, as something that restarts them would have it; how many died."""
    died = 0
    for _ in range(20):
        time_passes()
        code = worker_of(deadly, phases)
        assert code in (0, KILLED)
        died += code == KILLED
        leases_run_out()
        if not OutboxRow.objects.filter(state__in=[RowState.QUEUED, RowState.SENDING]).exists():
            return died
    raise AssertionError("it never ends")


@pytest.mark.parametrize("phases", ["send,ask,look_again", "send"], ids=["at every call", "at every delivery"])
def test_a_row_that_kills_its_workers_is_set_aside_and_stops_no_other(
    template: CouponTemplate, dfire: Dfire, phases: str
) -> None:
    """In the second case dfire answers every question in between, which must not begin the count anew."""
    before = [one_coupon(template) for _ in range(3)]
    deadly = one_coupon(template)
    after = [one_coupon(template) for _ in range(3)]
    assert work_until_quiet(deadly, phases) == settings.OUTBOX_MAX_LEASES
    row = row_of(deadly)
    assert (row.state, row.lost_leases) == (RowState.DEAD, settings.OUTBOX_MAX_LEASES)
    assert {row_of(coupon).state for coupon in (*before, *after)} == {RowState.DONE}
    assert dfire.totals()["delivered_twice"] == 0


def test_the_admin_says_why_and_lets_staff_retry(template: CouponTemplate, dfire: Dfire, client: Client) -> None:
    deadly = one_coupon(template)
    work_until_quiet(deadly, "send,ask,look_again")
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    html = client.get(page_of(row_of(deadly)), headers={"accept-language": "en"}).content.decode()
    assert "The worker died each time it took this row." in html
    assert "tell whoever runs the portal, then retry" in html
    act(client, row_of(deadly), "retry")
    assert row_of(deadly).lost_leases == 0
    drain_through()  # whoever runs it has mended the worker
    deadly.refresh_from_db()
    assert (row_of(deadly).state, deadly.delivery) == (RowState.DONE, Delivery.DELIVERED)


def test_of_rows_that_workers_have_died_of_one_is_sent_at_a_time(template: CouponTemplate) -> None:
    """Each could be the one that kills the others; those that no worker died of go on beside it."""
    account_id = template.merchant.dfire_account_id or 0
    suspects = [one_coupon(template) for _ in range(3)]
    OutboxRow.objects.filter(kind=RowKind.DELIVER).update(lost_leases=settings.OUTBOX_SUSPECT_LEASES)
    fresh = [one_coupon(template) for _ in range(2)]
    first = {job.coupon_id for job in claim(account_id, 10).jobs} | {
        job.coupon_id for job in claim(account_id, 10).jobs
    }
    assert first == {suspects[0].pk, *(coupon.pk for coupon in fresh)}
    OutboxRow.objects.filter(coupon=suspects[0]).update(state=RowState.DONE, lease_token=None, lease_until=None)
    assert [job.coupon_id for job in claim(account_id, 10).jobs] == [suspects[1].pk]


def test_a_worker_that_was_only_restarted_leaves_no_suspects(template: CouponTemplate, dfire: Dfire) -> None:
    coupons = [one_coupon(template) for _ in range(4)]
    claim(template.merchant.dfire_account_id or 0, 10)
    leases_run_out()
    engine.drain()
    assert {row_of(coupon).lost_leases for coupon in coupons} == {1}
    assert settings.OUTBOX_SUSPECT_LEASES > 1
    drain_through()
    assert {row_of(coupon).state for coupon in coupons} == {RowState.DONE}
    assert {row_of(coupon).lost_leases for coupon in coupons} == {0}
