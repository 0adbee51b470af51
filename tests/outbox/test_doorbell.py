"""The doorbell is a courtesy: no broker, no loss and no waiting."""

import os
import socket
import time
from collections.abc import Iterator

import pytest
import redis
from celery import current_app
from django.conf import settings

from coupons.models import CouponTemplate
from integrations.models.outbox import RowState
from integrations.outbox import doorbell, engine
from tests.outbox.helpers import one_coupon, row_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Iterator[None]:
    """Celery's broker is the address of the parameter."""
    before = current_app.conf.broker_url
    use(request.param)
    yield
    use(before)


def use(url: str) -> None:
    current_app.conf.broker_url = current_app.conf.broker_write_url = url
    current_app.amqp._producer_pool = None
    current_app._pool = None
    doorbell._carrier = doorbell._Carrier()


def deaf() -> str:
    """A broker that takes connections and never says a word."""
    listener = socket.create_server(("127.0.0.1", 0))
    deaf.kept = listener  # type: ignore[attr-defined]
    return f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.mark.parametrize("broker", ["redis://127.0.0.1:9/0", deaf()], ids=["down", "deaf"], indirect=True)
def test_without_a_broker_a_coupon_is_issued_at_once_and_the_next_sweep_finds_it(
    broker: None, template: CouponTemplate
) -> None:
    begin = time.monotonic()
    coupons = [one_coupon(template) for _ in range(5)]
    assert time.monotonic() - begin < 1
    assert {row_of(coupon).state for coupon in coupons} == {RowState.QUEUED}
    engine.drain()
    assert {row_of(coupon).state for coupon in coupons} == {RowState.DONE}


def test_many_rings_are_few_messages(template: CouponTemplate) -> None:
    use(current_app.conf.broker_url)
    broker = redis.Redis.from_url(settings.REDIS_URL)
    queue = current_app.conf.task_default_queue
    broker.delete(queue)
    for _ in range(1000):
        doorbell.ring()
    for _ in range(100):
        if broker.llen(queue):
            break
        time.sleep(0.02)
    assert 1 <= broker.llen(queue) < 200
    broker.delete(queue)


def test_a_forked_server_rings_too() -> None:
    doorbell.ring()
    child = os.fork()
    if child == 0:
        os._exit(0 if doorbell._carrier._thread is None else 1)
    assert os.waitpid(child, 0)[1] == 0
