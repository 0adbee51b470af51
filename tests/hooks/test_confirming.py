"""An account that asks for dfire's word: success only once dfire has accepted, and nothing left where it has not."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.db import connection
from django.utils import timezone

from coupons import templates
from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from integrations.models import OutboxRow, PartnerApp, Push, PushAnswer, WebhookDelivery, WebhookEndpoint
from integrations.models.outbox import RowKind, RowState
from integrations.models.partners import WebhookEvent
from integrations.outbox import engine
from integrations.sandbox.server import Sandbox
from integrations.smart_coupon import confirming
from integrations.webhooks.signing import new_secret
from merchants.models import Merchant, SmartCouponAccount
from tests.factories import SmartCouponAccountFactory, issued
from tests.hooks.helpers import address_of, create_push, last_push, made, post
from tests.hooks.revisions import campaign
from tests.outbox.dfire import DELETE, SAVE, Dfire
from tests.outbox.helpers import drain_through, leases_run_out, time_passes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quick(settings: LazySettings) -> None:
    """A second is enough for a sandbox beside us."""
    settings.PUSH_CONFIRM_SECONDS = 1
    settings.HOOK_RATE_LIMIT = 0


@pytest.fixture
def dfire(sandbox: Sandbox) -> Dfire:
    return Dfire(sandbox)


@pytest.fixture
def merchant(account: Any) -> Merchant:
    """Merchant 88, whose tills are the sandbox's."""
    from tests.factories import MerchantFactory

    made: Merchant = MerchantFactory(merchant_id="88", dfire_account=account)
    return made


@pytest.fixture
def platform(merchant: Merchant) -> SmartCouponAccount:
    """An account that asks for dfire's word."""
    account: SmartCouponAccount = SmartCouponAccountFactory(name="careful", confirm_with_dfire=True)
    account.merchants.add(merchant)
    return account


@pytest.fixture
def told(merchant: Merchant) -> Callable[[], list[str]]:
    """The events that a partner of the merchant is told of, so far."""
    app = PartnerApp.objects.create(name="partner")
    app.merchants.add(merchant)
    WebhookEndpoint.objects.create(
        app=app, url="https://partner.example/", secret=new_secret(), events=list(WebhookEvent.values)
    )
    return lambda: list(WebhookDelivery.objects.order_by("pk").values_list("event", flat=True))


@contextmanager
def working() -> Iterator[None]:
    """A worker drains the outbox meanwhile."""
    ended = threading.Event()

    def work() -> None:
        try:
            while not ended.is_set():
                engine.drain()
                time.sleep(0.02)
        finally:
            connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join(30)


def is_refused(answer: Any, words: str = "") -> None:
    assert answer.status_code == 503, answer.content
    body = answer.json()
    assert body["error"]["code"] == "unconfirmed"
    assert words in body["error"]["message"]
    assert answer["Retry-After"] == "1"


def nothing_is_left(dfire: Dfire) -> None:
    """Neither here nor, in the end, at dfire."""
    drain_through()
    assert not CouponTemplate.objects.exists()
    assert not PushAnswer.objects.exists()
    held = [promotion for promotion in dfire._call("GET", "ledger")["promotions"] if not promotion["deleted"]]
    assert not held


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


def test_a_repeat_after_a_failure_is_a_new_try(platform: SmartCouponAccount, dfire: Dfire) -> None:
    push = create_push()
    is_refused(post(address_of(platform), push))
    with working():
        answer = post(address_of(platform), push)
    assert answer.status_code == 200
    assert list(Push.objects.order_by("id").values_list("status", "repeated")) == [(503, False), (200, False)]


def test_equal_pushes_wait_for_the_same_word(platform: SmartCouponAccount, dfire: Dfire, at_once: Any) -> None:
    dfire.fault(SAVE, "latency", latency_ms=400)
    push = create_push()
    with working():
        answers = at_once([lambda: post(address_of(platform), push)] * 2)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert CouponTemplate.objects.count() == 1
    assert sorted(Push.objects.values_list("status", "repeated")) == [(200, False), (200, True)]


def test_equal_pushes_are_refused_together(platform: SmartCouponAccount, dfire: Dfire, at_once: Any) -> None:
    push = create_push()
    for answer in at_once([lambda: post(address_of(platform), push)] * 2):
        is_refused(answer)
    nothing_is_left(dfire)


def test_at_most_so_many_wait_and_the_others_are_told_at_once(
    platform: SmartCouponAccount, dfire: Dfire, at_once: Any, settings: LazySettings
) -> None:
    settings.PUSH_CONFIRM_AT_ONCE = 2

    def timed(title: str) -> tuple[float, str]:
        began = time.monotonic()
        answer = post(address_of(platform), create_push(coupon_name=title))
        assert answer.status_code == 503
        return time.monotonic() - began, answer.json()["error"]["code"]

    times = at_once([lambda t=f"n{n}": timed(t) for n in range(8)])
    assert sorted(code for _, code in times) == ["unavailable"] * 6 + ["unconfirmed"] * 2
    assert all(seconds < 0.9 for seconds, code in times if code == "unavailable")
    assert confirming.PLACES._taken == 0
    nothing_is_left(dfire)


def test_a_waiting_push_is_in_no_transaction(platform: SmartCouponAccount, dfire: Dfire, at_once: Any) -> None:
    def look() -> list[str]:
        time.sleep(0.5)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
                " AND state = 'idle in transaction' AND pid <> pg_backend_pid()"
            )
            return [row[0] for row in cursor.fetchall()]

    _answer, found = at_once([lambda: post(address_of(platform), create_push()), look])
    assert found == []


def test_nothing_is_given_of_it_before_dfire_has_accepted(platform: SmartCouponAccount, at_once: Any) -> None:
    def status() -> str:
        time.sleep(0.4)
        return CouponTemplate.objects.get().status

    _answer, seen = at_once([lambda: post(address_of(platform), create_push()), status])
    assert seen == TemplateStatus.PAUSED


def die(monkeypatch: pytest.MonkeyPatch, send: Callable[[], Any]) -> None:
    """The process dies while it waits: nothing of it runs any more."""
    with monkeypatch.context() as patched, suppress(SystemExit):
        patched.setattr(confirming, "wait", lambda awaited: (_ for _ in ()).throw(SystemExit))
        send()


def overdue() -> None:
    PushAnswer.objects.update(confirm_until=timezone.now() - timedelta(seconds=10))


@pytest.mark.parametrize("saved", [True, False], ids=["dfire had accepted", "dfire was never told"])
def test_after_a_crash_the_sweep_removes_everything(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch, saved: bool
) -> None:
    die(monkeypatch, lambda: post(address_of(platform), create_push()))
    assert last_push().status == 503
    if saved:
        drain_through()
    assert confirming.finish_overdue() == 0, "it is not overdue yet"
    overdue()
    assert confirming.finish_overdue() == 1
    nothing_is_left(dfire)
    assert last_push().status == 503


def test_after_a_crash_the_repeat_gets_what_dfire_has_accepted(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = create_push()
    die(monkeypatch, lambda: post(address_of(platform), push))
    drain_through()
    answer = post(address_of(platform), push)
    assert answer.status_code == 200
    assert CouponTemplate.objects.get().coupon_id == answer.json()["result"]["coupon_id"]
    assert confirming.finish_overdue() == 0


def test_after_a_crash_without_workers_the_second_repeat_is_a_new_try(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = create_push()
    die(monkeypatch, lambda: post(address_of(platform), push))
    overdue()
    is_refused(post(address_of(platform), push))
    with working():
        assert post(address_of(platform), push).status_code == 200
    assert CouponTemplate.objects.count() == 1


def test_a_worker_that_dies_with_the_save_leaves_nothing(platform: SmartCouponAccount, dfire: Dfire) -> None:
    """It was sent, its outcome never came, and only then the deletion goes."""
    dfire.fault(SAVE, "latency_after", latency_ms=900)

    def claim_and_die() -> None:
        from integrations.outbox.calling import perform
        from integrations.outbox.claiming import claim

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


def test_coupons_that_staff_gave_in_that_moment_stay_good(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(monkeypatch, lambda: post(address_of(platform), create_push()))
    template = CouponTemplate.objects.get()
    templates.publish(template)
    issued(template)
    overdue()
    assert confirming.finish_overdue() == 1
    template.refresh_from_db()
    assert template.status == TemplateStatus.ENDED
    assert not OutboxRow.objects.filter(kind=RowKind.DELETE_PROMOTION).exists()


def test_a_template_that_staff_ended_meanwhile_is_no_success(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = create_push()
    die(monkeypatch, lambda: post(address_of(platform), push))
    templates.end(CouponTemplate.objects.get())
    drain_through()
    is_refused(post(address_of(platform), push))
    nothing_is_left(dfire)


def test_partners_are_told_once_and_only_of_what_is_confirmed(
    platform: SmartCouponAccount, told: Callable[[], list[str]]
) -> None:
    is_refused(post(address_of(platform), create_push()))
    assert told() == []
    with working():
        assert post(address_of(platform), create_push()).status_code == 200
    assert told() == ["template.published"]


def test_partners_are_told_nothing_of_what_staff_do_before_it_is_confirmed(
    platform: SmartCouponAccount, dfire: Dfire, monkeypatch: pytest.MonkeyPatch, told: Callable[[], list[str]]
) -> None:
    push = create_push()
    die(monkeypatch, lambda: post(address_of(platform), push))
    templates.publish(CouponTemplate.objects.get())
    assert told() == []
    overdue()
    assert confirming.finish_overdue() == 1
    assert told() == []
    die(monkeypatch, lambda: post(address_of(platform), push))
    templates.publish(CouponTemplate.objects.get())
    drain_through()
    assert post(address_of(platform), push).status_code == 200
    assert told() == ["template.published"]


def test_what_is_refused_before_dfire_is_asked_is_refused_as_ever(platform: SmartCouponAccount) -> None:
    before = made()
    assert post(address_of(platform), create_push(coupon_amount=0)).status_code == 400
    assert made() == before


def test_who_waits_for_dfire_leaves_half_of_the_threads_to_others(
    platform: SmartCouponAccount, merchant: Merchant, web: str, at_once: Any
) -> None:
    """The real server with its four threads, no worker anywhere."""
    plain: SmartCouponAccount = SmartCouponAccountFactory(name="quick")
    plain.merchants.add(merchant)

    def push(account: SmartCouponAccount, title: str, after: float = 0) -> tuple[int, float]:
        time.sleep(after)
        began = time.monotonic()
        url = f"http://{web}{address_of(account)}"
        answer = requests.post(url, json=create_push(coupon_name=title), timeout=30)
        return answer.status_code, time.monotonic() - began

    waiting = [lambda n=n: push(platform, f"careful-{n}") for n in range(6)]
    others = [lambda n=n: push(plain, f"quick-{n}", 0.8) for n in range(4)]
    answers = at_once([*waiting, *others])
    assert [status for status, _ in answers] == [503] * 6 + [200] * 4
    assert sum(seconds > 2.5 for _, seconds in answers[:6]) == 2
    assert max(seconds for _, seconds in answers[6:]) < 2
