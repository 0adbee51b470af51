"""Key, signature, permission: the account stops at the first such answer, keeps its rows, and goes on when mended."""

import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from coupons.models import CouponTemplate
from integrations.models import AccountState, OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import engine, settling
from integrations.outbox.calling import perform
from integrations.outbox.claiming import claim
from integrations.sandbox.server import Sandbox
from merchants.models import DfireAccount
from tests.conftest import APP_SECRET
from tests.factories import MerchantFactory, published
from tests.outbox.dfire import DELIVER, Dfire
from tests.outbox.helpers import drain_through, one_coupon, results, row_of, state_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stopped(template: CouponTemplate, account: DfireAccount) -> DfireAccount:
    """An account whose secret was changed at dfire."""
    account.app_secret = "outdated"
    account.save()
    one_coupon(template)
    engine.drain()
    assert state_of(account).stopped_at is not None
    return account


def probe_is_due(account: DfireAccount) -> None:
    AccountState.objects.filter(account=account).update(probe_at=timezone.now() - timedelta(seconds=1))


def test_the_first_such_answer_stops_the_account_and_keeps_the_row(
    template: CouponTemplate, stopped: DfireAccount, dfire: Dfire
) -> None:
    row = OutboxRow.objects.latest("id")
    assert (row.state, row.phase, row.tries, results(row)) == (RowState.QUEUED, "send", 0, [("send", "configuration")])
    state = state_of(stopped)
    assert (state.stop_code, bool(state.stop_message)) == ("25", True)
    for _ in range(5):
        one_coupon(template)
    engine.drain()
    assert len(dfire.calls(DELIVER)) == 1


def test_staff_are_told_once(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire, caplog: pytest.LogCaptureFixture
) -> None:
    dfire.fault(DELIVER, "bad_signature", times=None)
    for _ in range(6):
        one_coupon(template)
    with caplog.at_level(logging.ERROR, logger="integrations.outbox"):
        engine.drain()
        for _ in range(3):
            probe_is_due(account)
            engine.drain()
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.message.count("stopped") for record in errors] == [1]


def test_an_answer_to_an_older_call_does_not_start_the_account_again(
    template: CouponTemplate, account: DfireAccount, dfire: Dfire
) -> None:
    dfire.fault(DELIVER, "bad_signature", where={"thirdDeliverCode": one_coupon(template).code})
    one_coupon(template)
    refused, fine = claim(account.pk, 2).jobs
    answers = [(job, perform(job)) for job in (refused, fine)]
    for job, outcome in answers:
        settling.settle(job, outcome)
    assert state_of(account).stopped_at is not None


def test_a_stopped_account_tries_one_row_now_and_then_and_goes_on_when_it_is_mended_at_dfire(
    template: CouponTemplate, stopped: DfireAccount, dfire: Dfire
) -> None:
    coupons = [one_coupon(template) for _ in range(5)]
    probe_is_due(stopped)
    engine.drain()
    assert len(dfire.calls(DELIVER)) == 2, "one try, and the account stays stopped"
    DfireAccount.objects.filter(pk=stopped.pk).update(app_secret=DfireAccount(app_secret=APP_SECRET).app_secret)
    probe_is_due(stopped)
    engine.drain()
    assert state_of(stopped).stopped_at is None
    assert [row_of(coupon).state for coupon in coupons] == [RowState.DONE] * 5


def test_saving_the_account_tries_at_once(template: CouponTemplate, stopped: DfireAccount) -> None:
    coupon = one_coupon(template)
    stopped.app_secret = APP_SECRET
    stopped.save()
    engine.drain()
    state = state_of(stopped)
    assert (row_of(coupon).state, state.stopped_at, state.stop_code) == (RowState.DONE, None, "")


def test_a_busy_answer_shows_that_the_key_is_right_again(
    template: CouponTemplate, stopped: DfireAccount, dfire: Dfire
) -> None:
    stopped.app_secret = APP_SECRET
    stopped.save()
    dfire.fault(DELIVER, "busy")
    engine.drain()
    assert state_of(stopped).stopped_at is None


def test_other_accounts_go_on(stopped: DfireAccount, sandbox: Sandbox, dfire: Dfire) -> None:
    config = sandbox.app.config
    assert config is not None
    second = DfireAccount.objects.create(
        name="second", base_url=stopped.base_url, app_key="second-key", app_secret="second", timeout_seconds=1
    )
    add_account(sandbox, "second-key", "second")
    merchant = MerchantFactory(dfire_account=second)
    coupon = one_coupon(published(merchant=merchant))
    engine.drain()
    assert row_of(coupon).state == RowState.DONE


@pytest.mark.parametrize(
    "broken", [{"base_url": "ftp://nowhere"}, {"base_url": "http://user@host/"}, {"app_secret": ""}]
)
def test_an_account_that_cannot_work_at_all_is_stopped_and_no_row_is_lost(
    template: CouponTemplate, account: DfireAccount, broken: dict[str, str]
) -> None:
    DfireAccount.objects.filter(pk=account.pk).update(**broken)
    coupon = one_coupon(template)
    engine.drain()
    assert row_of(coupon).state == RowState.QUEUED
    assert state_of(account).stopped_at is not None
    account.save()
    drain_through()
    assert row_of(coupon).state == RowState.DONE


def test_an_account_whose_secret_cannot_be_read_does_not_stop_the_others(
    template: CouponTemplate, account: DfireAccount
) -> None:
    from django.db import connection

    unreadable = DfireAccount.objects.create(name="a", base_url=account.base_url, app_key="u", app_secret="s")
    other = published(merchant=MerchantFactory(dfire_account=unreadable))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE merchants_dfireaccount SET app_secret = 'rubbish' WHERE id = %s", [unreadable.pk])
    coupon = one_coupon(template)
    engine.drain()
    assert row_of(coupon).state == RowState.DONE
    assert OutboxRow.objects.get(template=other).state == RowState.QUEUED


def add_account(sandbox: Sandbox, app_key: str, app_secret: str) -> None:
    """Let the sandbox know one more key."""
    import json

    path = sandbox.app.config.path
    known = json.loads(path.read_text())
    known["accounts"].append({"app_key": app_key, "app_secret": app_secret})
    path.write_text(json.dumps(known))
