"""A coupon issued at the very moment in which dfire is told of its template is not held back for ever."""

import threading

import pytest
from django.db import connections, transaction

from coupons.models import IssuedCoupon
from integrations.models.outbox import RowState
from integrations.outbox import engine
from merchants.models import Merchant
from tests.factories import CustomerFactory, issued, published
from tests.outbox.dfire import Dfire
from tests.outbox.helpers import row_of

pytestmark = pytest.mark.django_db(transaction=True)


def drain_beside() -> None:
    """A worker with a database connection of its own drains."""

    def drain() -> None:
        try:
            engine.drain()
        finally:
            connections.close_all()

    thread = threading.Thread(target=drain)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


def test_whoever_commits_last_lets_it_go(merchant: Merchant, dfire: Dfire) -> None:
    template = published(merchant=merchant)
    customer = CustomerFactory(merchant=merchant)
    coupon: IssuedCoupon
    with transaction.atomic():
        coupon = issued(template, customer)  # sees the template unsaved, and is not committed
        drain_beside()  # the template is saved, and nothing held is there to be let go
        assert row_of(coupon).held
    assert not row_of(coupon).held, "the issue has looked again after its own commit"
    engine.drain()
    assert row_of(coupon).state == RowState.DONE
