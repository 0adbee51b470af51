"""Workers, refusals, deaths: what the tests of dfire's word do and look for."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from coupons.models import CouponTemplate
from integrations.models import PushAnswer
from integrations.outbox import engine
from integrations.smart_coupon import confirming
from tests.outbox.dfire import Dfire
from tests.outbox.helpers import drain_through


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


def die(monkeypatch: pytest.MonkeyPatch, send: Callable[[], Any]) -> None:
    """The process dies while it waits: nothing of it runs any more."""
    with monkeypatch.context() as patched, suppress(SystemExit):
        patched.setattr(confirming, "wait", lambda awaited: (_ for _ in ()).throw(SystemExit))
        send()


def overdue() -> None:
    PushAnswer.objects.update(confirm_until=timezone.now() - timedelta(seconds=10))
