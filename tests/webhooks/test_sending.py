"""Deliveries reach the partner at least once, under one id, whatever the partner or our own processes do."""

import logging
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from coupons.models import CouponTemplate
from integrations.models import PartnerApp, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookLane
from integrations.models.partners import WebhookEvent
from integrations.models.webhooks import SendResult
from integrations.webhooks import driving, lanes, resending
from integrations.webhooks.sending import KEPT_BYTES
from tests.factories import CustomerFactory, issued
from tests.outbox.workers import ROOT, environment
from tests.webhooks.helpers import states, time_passes
from tests.webhooks.partner import Partner, answers, breaks_off, hangs_up, pours, sleeps, trickles

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_event_arrives_signed_and_is_done(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    coupon = issued(template)
    assert driving.drain() == 1
    (received,) = partner.received
    assert received.read(partner.secret)["data"]["code"] == coupon.code
    assert received.headers["content-type"] == "application/json"
    assert abs(int(received.headers["webhook-timestamp"]) - time.time()) < 5
    delivery = WebhookDelivery.objects.get()
    assert (received.id, states(), delivery.status) == (delivery.webhook_id, ["done"], 200)
    attempt = WebhookAttempt.objects.get()
    assert (attempt.result, attempt.status, attempt.answer) == (SendResult.OK, 200, "ok")
    assert driving.drain() == 0


@pytest.mark.parametrize(
    ("behaviour", "result"),
    [
        (answers(500, b"oops"), SendResult.REFUSED), (answers(404), SendResult.REFUSED),
        (answers(503), SendResult.BUSY), (answers(429), SendResult.BUSY),
        (answers(302, Location="http://169.254.169.254/latest/meta-data/"), SendResult.REDIRECT),
        (breaks_off, SendResult.BROKEN), (hangs_up, SendResult.BROKEN), (sleeps(1.5), SendResult.TIMEOUT),
        (trickles, SendResult.TIMEOUT),
    ],
)  # fmt: skip
def test_what_fails_is_sent_again_under_the_same_id(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, behaviour: Any, result: SendResult
) -> None:
    partner.next = [behaviour]
    issued(template)
    began = time.monotonic()
    driving.drain()
    assert time.monotonic() - began < 2.5
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.result) == ("queued", result)
    assert driving.drain() == 0, "not at once again"
    time_passes()
    driving.drain()
    assert states() == ["done"]
    first, second = partner.received
    assert (first.id, first.body) == (second.id, second.body)
    assert [attempt.result for attempt in WebhookAttempt.objects.order_by("pk")] == [result, SendResult.OK]


def test_of_a_long_answer_only_the_beginning_is_read_and_kept(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    partner.next = [pours]
    issued(template)
    driving.drain()
    assert states() == ["done"]
    assert len(WebhookAttempt.objects.get().answer) == KEPT_BYTES


def test_mobile_numbers_in_answers_are_kept_masked(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    partner.next = [answers(200, b"thanks for 13800138000")]
    issued(template)
    driving.drain()
    assert WebhookAttempt.objects.get().answer == "thanks for 138****8000"


def test_the_pauses_grow_for_three_days_then_staff_decide(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, fixed_pauses: None, settings: LazySettings
) -> None:
    settings.WEBHOOK_OFF_AFTER_HOURS = 1000
    partner.always = answers(500)
    issued(template)
    pauses = []
    while states() == ["queued"]:
        time_passes()
        before = timezone.now()
        driving.drain()
        delivery = WebhookDelivery.objects.get()
        if delivery.state != "queued":
            break
        pause = delivery.available_at - before
        pauses.append(round(pause.total_seconds()))
        WebhookDelivery.objects.update(give_up_at=delivery.give_up_at - pause)  # so much time goes by
    assert pauses[:8] == [5, 15, 45, 135, 405, 1215, 3645, 10935]
    assert set(pauses[8:-1]) == {6 * 3600}
    assert sum(pauses) == pytest.approx(72 * 3600, abs=60)
    assert (states(), len(partner.received)) == (["failed"], len(pauses) + 1)
    partner.always = answers(200)
    assert len(resending.resend(WebhookDelivery.objects.all())) == 1
    time_passes()
    driving.drain()
    assert (states(), len({one.id for one in partner.received})) == (["done"], 1)


@pytest.mark.parametrize(("said", "least", "most"), [("120", 110, 121), ("999999", 3500, 3601), ("soon", 0, 7)])
def test_the_partner_may_say_when(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, said: str, least: int, most: int
) -> None:
    partner.next = [answers(503, Retry_After=said)]
    issued(template)
    now = timezone.now()
    driving.drain()
    issued(template)
    assert least <= (WebhookDelivery.objects.earliest("pk").available_at - now).total_seconds() <= most
    assert driving.drain() == (0 if least else 1), "the whole address waits"


def test_a_worker_that_dies_between_sending_and_settling_sends_again_under_the_same_id(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    issued(template)
    (job,) = lanes.claim(endpoint.pk, 4)
    outcome = driving._sender.send(job.letter)  # and it dies here
    assert driving.drain() == 0, "its lease holds"
    time_passes()
    driving.drain()
    first, second = partner.received
    assert (first.id, states()) == (second.id, ["done"])
    assert list(WebhookAttempt.objects.order_by("pk").values_list("result", flat=True)) == ["", "ok"]
    lanes.settle(job, outcome)  # the dead one was only slow
    assert states() == ["done"]


_DRAINS = """
import sys, ipaddress
import django
django.setup()
from django.conf import settings
settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
from integrations.webhooks import driving
print("ready", flush=True)
sys.stdin.readline()
driving.drain()
"""


def test_two_workers_send_each_event_once_and_no_more_at_once_than_allowed(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, settings: LazySettings
) -> None:
    for _ in range(60):
        issued(template)
    inside, most, lock = 0, 0, threading.Lock()

    def behave(handler: Any) -> None:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        time.sleep(0.03)
        with lock:
            inside -= 1
        handler.say(200)

    partner.always = behave
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers: list[Any] = [
        subprocess.Popen([sys.executable, "-c", _DRAINS], env=environment(), cwd=ROOT, **pipes)  # type: ignore[call-overload]
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        assert worker.wait(60) == 0
    assert (len(partner.received), len({one.id for one in partner.received})) == (60, 60)
    assert 1 < most <= settings.WEBHOOK_AT_ONCE


def test_a_slow_partner_holds_no_other_back(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, app: PartnerApp
) -> None:
    slow = Partner()
    slow.always = sleeps(0.9)
    WebhookEndpoint.objects.create(app=app, url=slow.url, secret=slow.secret, events=list(WebhookEvent.values))
    for _ in range(40):
        issued(template)
    drain = threading.Thread(target=driving.drain)
    began = time.monotonic()
    drain.start()
    while len(partner.received) < 40 and time.monotonic() - began < 20:
        time.sleep(0.02)
    assert (len(partner.received), len(slow.received) < 20) == (40, True)
    slow.always = answers(200)
    drain.join(30)
    assert len(slow.received) == 40
    slow.stop()


def test_an_address_that_is_down_is_asked_with_one_event_at_a_time(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    partner.always = answers(500)
    for _ in range(30):
        issued(template)
    driving.drain()
    assert len(partner.received) <= lanes.PROBING_AFTER + 4
    lane = WebhookLane.objects.get()
    assert lane.next_at is not None
    before = len(partner.received)
    WebhookLane.objects.update(next_at=None)
    driving.drain()
    assert len(partner.received) == before + 1
    partner.always = answers(200)
    time_passes()
    driving.drain()
    assert set(states()) == {"done"}


def test_what_could_not_be_tried_in_its_time_has_failed(template: CouponTemplate, endpoint: WebhookEndpoint) -> None:
    issued(template)
    WebhookDelivery.objects.update(give_up_at=timezone.now() - timedelta(minutes=5))
    assert lanes.give_up_overdue() == 1
    assert states() == ["failed"]


def test_an_event_that_always_fails_does_not_hold_the_others_back(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, settings: LazySettings
) -> None:
    bad = issued(template)
    for _ in range(10):
        issued(template)

    def behave(handler: Any) -> None:
        handler.say(400 if bad.code in partner.received[-1].body.decode() else 200)

    partner.always = behave
    settings.WEBHOOK_AT_ONCE = 1
    driving.drain()
    assert sorted(states()) == ["done"] * 10 + ["queued"]


def test_no_secret_and_no_mobile_number_stands_in_the_log(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    partner.next = [answers(500, b"13800138000"), breaks_off]
    issued(template, CustomerFactory(merchant=template.merchant, identifier="13800138000"))
    for _ in range(3):
        time_passes()
        driving.drain()
    assert states() == ["done"]
    out, err = capfd.readouterr()
    said = caplog.text + out + err
    assert "13800138000" not in said
    assert partner.secret not in said
    assert partner.secret.removeprefix("whsec_") not in said


def test_a_broken_address_takes_no_worker_down(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    for url in ("http://[::1", "http://127.0.0.1:99999/", "http://" + "a" * 70 + ".example/", "http://127.0.0.1:1/"):
        WebhookEndpoint.objects.update(url=url)
        issued(template)
        driving.drain()
        WebhookLane.objects.update(next_at=None, failures=0)
    assert set(states()) == {"queued"}
    WebhookEndpoint.objects.update(url=partner.url)
    time_passes()
    driving.drain()
    assert set(states()) == {"done"}
