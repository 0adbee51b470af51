"""While dfire's word is waited for: equal pushes, places to wait in, and what others see meanwhile."""

import time
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.db import connection

from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from integrations.models import Push
from integrations.smart_coupon import confirming
from merchants.models import Merchant, SmartCouponAccount
from tests.factories import SmartCouponAccountFactory
from tests.hooks.confirming.helpers import is_refused, nothing_is_left, working
from tests.hooks.helpers import address_of, create_push, post
from tests.hooks.revisions import campaign
from tests.outbox.dfire import SAVE, Dfire

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_equal_pushes_of_two_revisions_wait_for_the_same_word_and_hear_it_in_their_own_forms(
    platform: SmartCouponAccount, dfire: Dfire, at_once: Any
) -> None:
    dfire.fault(SAVE, "latency", latency_ms=400)
    second = campaign(2)
    third = {**second, "campaign_name": second["coupon_name"], "campaign_notice": ""}
    with working():
        answers = at_once([lambda push=push: post(address_of(platform), push).json() for push in (second, third)])
    template = CouponTemplate.objects.get()
    assert answers[0] == {"result": {"campaign_id": template.coupon_id}}
    assert answers[1] == {"return_code": "success", "return_msg": "", "campaign_id": template.coupon_id}
    kept = {push.revision: push.answer for push in Push.objects.filter(status=200)}
    assert kept == {2: answers[0], 3: answers[1]}


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
