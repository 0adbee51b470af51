"""PostgreSQL away or slow: 503 within bounds, in each caller's own form; a repeat afterwards does it once.

The web server is a real one with four threads. What stands between it and PostgreSQL is a gate that the test shuts.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from django.conf import settings
from django.db import connection, transaction

from coupons.choices import CouponStatus
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import DfireCallback
from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.factories import DfireAccountFactory, issued, published
from tests.hooks.gate import Gate, Way
from tests.hooks.helpers import FORM, address_of, callback, create_push, give_push

UNAVAILABLE = {"error": {"code": "unavailable", "message": "Try again in a moment."}}
BUSY = {"success": False, "resultCode": "009", "message": "Try again in a moment."}
CONNECT_SECONDS = 2  # `connect_timeout`
SLACK_SECONDS = 2  # of a busy machine
Web = tuple[str, Gate]


def send(where: str, path: str, body: Any, media_type: str = "application/json") -> tuple[requests.Response, float]:
    """Send a body; the answer and the seconds that it took."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    began = time.monotonic()
    answer = requests.post(f"http://{where}{path}", data=raw, headers={"Content-Type": media_type}, timeout=30)
    return answer, time.monotonic() - began


def assert_unavailable(answer: requests.Response, body: dict[str, Any]) -> None:
    assert (answer.status_code, answer.json()) == (503, body)
    assert answer.headers["Retry-After"] == "1"


def pushes_of(token: str) -> list[tuple[str, Any, str, dict[str, Any]]]:
    """One call of each hook, and how it says that it is not available."""
    form = urlencode(callback(DfireAccountFactory.build(), "1")).encode()
    return [
        (f"/hooks/smart-coupon/{token}/coupon/", create_push(), "application/json", UNAVAILABLE),
        (f"/hooks/smart-coupon/{token}/coupon-detail/", give_push("1"), "application/json", UNAVAILABLE),
        ("/hooks/dfire/", form, FORM, BUSY),
    ]


def test_without_a_database_every_hook_says_503_at_once(web_without_database: str) -> None:
    for path, body, media_type, unavailable in pushes_of("any-token"):
        answer, seconds = send(web_without_database, path, body, media_type)
        assert_unavailable(answer, unavailable)
        assert seconds < SLACK_SECONDS


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", [Way.REFUSING, Way.SILENT])
def test_a_database_that_goes_away_is_503_and_a_repeat_afterwards_gives_one_coupon(
    web_behind_a_gate: Web, platform: SmartCouponAccount, merchant: Merchant, way: Way
) -> None:
    where, gate = web_behind_a_gate
    template = published(merchant=merchant)
    push, path = give_push(template.coupon_id), address_of(platform, "coupon-detail")
    assert send(where, address_of(platform), create_push())[0].status_code == 200, "it has a connection to lose"
    gate.turn(way)
    answer, seconds = send(where, path, push)
    assert_unavailable(answer, UNAVAILABLE)
    assert seconds < settings.HOOK_DATABASE_SECONDS + CONNECT_SECONDS + SLACK_SECONDS
    gate.turn(Way.OPEN)
    accepted = until_accepted(where, path, push)
    again, _ = send(where, path, push)
    assert again.json() == accepted.json()
    assert IssuedCoupon.objects.get(template=template).code == accepted.json()["result"]["coupon_detail_id"]


def until_accepted(where: str, path: str, push: dict[str, Any]) -> requests.Response:
    """Repeat a push as the platform would."""
    for _ in range(20):
        answer, _ = send(where, path, push)
        if answer.status_code == 200:
            return answer
        assert_unavailable(answer, UNAVAILABLE)
        time.sleep(1)
    raise AssertionError("it was never accepted")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", [Way.REFUSING, Way.SILENT])
def test_while_it_is_away_threads_are_not_used_up(
    web_behind_a_gate: Web, platform: SmartCouponAccount, way: Way
) -> None:
    """Forty callers of four threads: were each to wait for the database, the last would wait for ten times as long."""
    where, gate = web_behind_a_gate
    path, first_bound = address_of(platform), settings.HOOK_DATABASE_SECONDS + CONNECT_SECONDS
    assert send(where, path, create_push())[0].status_code == 200
    gate.turn(way)
    with ThreadPoolExecutor(41) as pool:
        calls = [pool.submit(send, where, path, create_push(coupon_amount=n)) for n in range(1, 41)]
        health = pool.submit(lambda: requests.get(f"http://{where}/healthz", timeout=30))
        for call in calls:
            answer, seconds = call.result()
            assert_unavailable(answer, UNAVAILABLE)
            assert seconds < first_bound + 2 * SLACK_SECONDS
        assert health.result().status_code == 200
    at_once = sorted(send(where, path, create_push())[1] for _ in range(10))
    assert at_once[len(at_once) // 2] < 0.5, "it is known to be away, and still each waits for it"
    assert CouponTemplate.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_was_lost_with_the_database_is_given_to_the_repeat(
    web_behind_a_gate: Web, platform: SmartCouponAccount, merchant: Merchant
) -> None:
    """The commit may have happened although the caller was told 503: the repeat is answered from what was kept."""
    where, gate = web_behind_a_gate
    template = published(merchant=merchant)
    push, path = give_push(template.coupon_id), address_of(platform, "coupon-detail")

    def shut_soon() -> None:
        time.sleep(0.02)
        gate.turn(Way.SILENT)

    threading.Thread(target=shut_soon).start()
    first, _ = send(where, path, push)
    assert first.status_code in (200, 503)
    gate.turn(Way.OPEN)
    until_accepted(where, path, push)
    assert IssuedCoupon.objects.filter(template=template).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_someone_holds_is_503_and_other_hooks_go_on(
    web: str, platform: SmartCouponAccount, merchant: Merchant
) -> None:
    template, other = published(merchant=merchant), published(merchant=merchant)
    path = address_of(platform, "coupon-detail")
    with transaction.atomic():
        CouponTemplate.objects.select_for_update().get(pk=template.pk)
        answer, seconds = send(web, path, give_push(template.coupon_id))
        assert_unavailable(answer, UNAVAILABLE)
        assert settings.HOOK_LOCK_SECONDS <= seconds < settings.HOOK_LOCK_SECONDS + SLACK_SECONDS
        assert send(web, path, give_push(other.coupon_id))[0].status_code == 200
    assert send(web, path, give_push(template.coupon_id))[0].status_code == 200
    assert IssuedCoupon.objects.filter(template=template).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_locked_for_long_holds_no_thread(web: str, tills: DfireAccount, merchant: Merchant) -> None:
    """As a careless migration would lock it: the very first question has to wait already."""
    coupon = issued(published(merchant=merchant))
    form = urlencode(callback(tills, coupon.code)).encode()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE merchants_dfireaccount IN ACCESS EXCLUSIVE MODE")
        answer, seconds = send(web, "/hooks/dfire/", form, FORM)
        assert_unavailable(answer, BUSY)
        assert seconds < settings.HOOK_LOCK_SECONDS + SLACK_SECONDS
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        assert cursor.fetchone()[0] == 0, "PostgreSQL waits on for a caller that has had its answer"
    assert send(web, "/hooks/dfire/", form, FORM)[0].json()["resultCode"] == "000"
    coupon.refresh_from_db()
    assert coupon.status == CouponStatus.REDEEMED
    assert DfireCallback.objects.count() == 1


@pytest.fixture
def slow_records() -> Iterator[None]:
    """Writing down what came of a push takes a minute."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_sleep(60); RETURN NEW; END$$;"
            "CREATE TRIGGER dawdles BEFORE INSERT ON integrations_push FOR EACH ROW EXECUTE FUNCTION dawdle()"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION dawdle CASCADE")


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_takes_too_long_is_503(web: str, platform: SmartCouponAccount, slow_records: None) -> None:
    answer, seconds = send(web, address_of(platform), create_push())
    assert_unavailable(answer, UNAVAILABLE)
    assert settings.HOOK_STATEMENT_SECONDS <= seconds < settings.HOOK_STATEMENT_SECONDS + SLACK_SECONDS
    assert CouponTemplate.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_connection_lost_in_the_middle_leaves_nothing(
    web: str, platform: SmartCouponAccount, merchant: Merchant
) -> None:
    """PostgreSQL ends the connection while the hook waits inside its transaction."""
    template = published(merchant=merchant)
    path = address_of(platform, "coupon-detail")
    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        CouponTemplate.objects.select_for_update().get(pk=template.pk)
        call = pool.submit(send, web, path, give_push(template.coupon_id))
        wait_until(lambda: end_whoever_waits() == 1)
        assert_unavailable(call.result()[0], UNAVAILABLE)
    assert IssuedCoupon.objects.count() == 0
    assert send(web, path, give_push(template.coupon_id))[0].status_code == 200


def end_whoever_waits() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def wait_until(happens: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_after_a_lost_connection_the_next_push_is_taken(web: str, platform: SmartCouponAccount) -> None:
    # One request after another: each worker thread that has a connection loses it.
    for amount in range(1, 6):
        assert send(web, address_of(platform), create_push(coupon_amount=amount))[0].status_code == 200
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            assert cursor.fetchone()[0] >= 1


@pytest.mark.django_db(transaction=True)
def test_a_slow_sender_is_not_taken_for_a_slow_database(web: str, platform: SmartCouponAccount) -> None:
    push = json.dumps(create_push()).encode()

    def slowly() -> Any:
        yield push[:10]
        time.sleep(settings.HOOK_DATABASE_SECONDS + 1)
        yield push[10:]

    answer = requests.post(
        f"http://{web}{address_of(platform)}", data=slowly(), headers={"Content-Type": "application/json"}, timeout=30
    )
    assert answer.status_code == 200
