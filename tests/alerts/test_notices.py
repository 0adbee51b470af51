"""Each target is told once when it begins and once when it is over, whatever dies in between."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction
from django.utils import timezone

from integrations import tasks
from integrations.alerts import notices
from integrations.alerts.incidents import close_incident, raise_incident
from integrations.alerts.notices import MOST_TRIES, send_due
from integrations.models import AlertTarget, Incident, Notice
from integrations.models.alerts import IncidentKind
from merchants.models import Merchant
from tests.alerts.helpers import notices_become_due, send_all
from tests.alerts.receivers import Mailbox, Web
from tests.alerts.test_incidents import at_once
from tests.factories import MerchantFactory
from tests.outbox.test_doorbell import use
from tests.outbox.workers import celery_worker

pytestmark = pytest.mark.django_db(transaction=True)
DEAD = IncidentKind.DEAD_LETTERS


@pytest.fixture
def shop(target: AlertTarget) -> Merchant:
    """A merchant of which the target is told."""
    made: Merchant = MerchantFactory(name="自家火锅", merchant_id="88")
    return made


def dead(merchant: Merchant, count: int = 3) -> Incident:
    return raise_incident(DEAD, merchant=merchant, figures={"count": count})


def test_once_when_it_begins_and_once_when_it_is_over(shop: Merchant, web: Web) -> None:
    dead(shop)
    for _ in range(3):
        send_due()
        dead(shop)
    assert len(web.bodies) == 1
    close_incident(DEAD, merchant=shop)
    send_due()
    assert len(web.bodies) == 1, "the end is told when it has held for a while"
    for _ in range(3):
        notices_become_due()
        send_due()
    assert [body["type"] for body in web.bodies] == ["warning", "success"]


def test_email_is_a_target_too(mailbox: Mailbox) -> None:
    AlertTarget.objects.create(name="mail", address=mailbox.address)
    dead(MerchantFactory())
    assert send_due() == 1
    assert len(mailbox.mails) == 1


def test_the_end_is_told_after_the_beginning(shop: Merchant, web: Web) -> None:
    web.answers = [(500, {}), (200, {})]
    dead(shop)
    close_incident(DEAD, merchant=shop)
    send_all()
    assert [body["type"] for body in web.bodies] == ["warning", "warning", "success"]


def test_what_came_back_is_kept(shop: Merchant, web: Web) -> None:
    web.answers = [(500, {}), (200, {})]
    notice = dead(shop).notices.get()
    send_due()
    notice.refresh_from_db()
    assert (notice.state, notice.tries, "500" in notice.outcome) == ("queued", 1, True)
    assert notice.due_at > timezone.now() + timedelta(seconds=25)
    send_all()
    notice.refresh_from_db()
    assert (notice.state, notice.tries, notice.outcome) == ("sent", 2, "Sent JSON POST notification.")


def test_a_target_that_never_takes_it_is_tried_a_few_times_ever_more_rarely(shop: Merchant, web: Web) -> None:
    web.answers = [(500, {})]
    notice = dead(shop).notices.get()
    pauses = []
    for _ in range(MOST_TRIES + 3):
        notices_become_due()
        begin = timezone.now()
        send_due()
        notice.refresh_from_db()
        if notice.state == "queued":
            pauses.append(round((notice.due_at - begin).total_seconds()))
    assert len(web.bodies) == MOST_TRIES
    assert pauses == [40, 120, 480, 1800, 1800]
    assert (notice.state, "500" in notice.outcome) == ("failed", True)


def test_a_target_that_fails_rests_with_all_it_is_to_be_told_and_the_others_go_on(shop: Merchant, web: Web) -> None:
    AlertTarget.objects.create(name="broken", address="json://127.0.0.1:9/")
    for _ in range(5):
        dead(MerchantFactory())
    assert send_due() == 5
    broken = Notice.objects.filter(target__name="broken")
    assert sorted(broken.values_list("tries", flat=True)) == [0, 0, 0, 0, 1]
    assert not broken.filter(due_at__lte=timezone.now()).exists()


def test_news_of_yesterday_is_not_told(shop: Merchant, web: Web) -> None:
    dead(shop)
    Notice.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert (send_due(), web.bodies, Notice.objects.get().state) == (0, [], "failed")


def test_a_target_that_was_switched_off_is_not_told(shop: Merchant, target: AlertTarget, web: Web) -> None:
    dead(shop)
    AlertTarget.objects.update(active=False)
    assert (send_due(), web.bodies, Notice.objects.get().state) == (0, [], "failed")


def test_many_workers_send_it_once(shop: Merchant) -> None:
    dead(shop)
    taken: list[Any] = []
    at_once(6, lambda: taken.extend(notices._take()))
    assert len(taken) == 1


def test_while_it_is_sent_nothing_is_locked(shop: Merchant, web: Web) -> None:
    dead(shop)
    web.seconds = 0.6
    locked: list[int] = []

    def lock() -> None:
        try:
            wait_for(lambda: web.bodies)
            with transaction.atomic():
                locked.append(Notice.objects.select_for_update(nowait=True).get().pk)
                locked.append(Incident.objects.select_for_update(nowait=True).get().pk)
        finally:
            connection.close()

    other = threading.Thread(target=lock)
    other.start()
    send_due()
    other.join()
    assert len(locked) == 2


def test_without_a_broker_nothing_waits_and_the_sweep_tells_it(shop: Merchant, web: Web) -> None:
    before = current_app.conf.broker_url
    use("redis://127.0.0.1:9/0")
    try:
        begin = time.monotonic()
        dead(shop)
        assert time.monotonic() - begin < 1
    finally:
        use(before)
    assert current_app.conf.beat_schedule["send notices"]["task"] == tasks.send_notices.name
    tasks.send_notices()
    assert len(web.bodies) == 1


def test_a_worker_hears_of_it_and_what_it_leaves_when_it_is_killed_is_sent_again(
    shop: Merchant, web: Web, tmp_path: Path
) -> None:
    use(current_app.conf.broker_url)
    web.seconds = 5
    with celery_worker(tmp_path / "worker.log") as worker:
        wait_for(lambda: "ready" in (tmp_path / "worker.log").read_text(), 30)
        dead(shop)
        wait_for(lambda: web.bodies)
        worker.kill()
        worker.wait(10)
    notice = Notice.objects.get()
    assert (notice.state, notice.tries) == ("queued", 1)
    assert send_due() == 0, "not before the one that died could have finished"
    web.seconds = 0
    notices_become_due()
    assert send_due() == 1
    assert (len(web.bodies), Notice.objects.get().state) == (2, "sent")


def wait_for(happened: Callable[[], Any], seconds: float = 10) -> None:
    """Wait until it has happened."""
    for _ in range(int(seconds / 0.05)):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("It did not happen in time.")
