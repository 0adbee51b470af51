"""A row that we cannot work concerns nobody else; a database that goes away ends a drain cleanly."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection, connections

from coupons.choices import Delivery
from coupons.models import CouponTemplate, TemplateVersion
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState
from integrations.outbox import engine, handlers
from integrations.outbox.handlers import Call, Sent
from integrations.sync.deliveries import Deliver
from merchants.models import Merchant
from tests.factories import published
from tests.outbox.dfire import DELIVER, Dfire
from tests.outbox.helpers import drain_through, leases_run_out, one_coupon, results, row_of, time_passes

pytestmark = pytest.mark.django_db(transaction=True)


class Faulty(Deliver):
    """A handler with a bug."""

    def __init__(self, where: str, code: str) -> None:
        self.where, self.code = where, code

    def hits(self, row: OutboxRow, where: str) -> bool:
        return self.where == where and row.coupon is not None and row.coupon.code == self.code

    def plan(self, row: OutboxRow) -> Any:
        if self.hits(row, "plan"):
            raise RuntimeError("a bug in planning")
        call = super().plan(row)
        if self.hits(row, "run") and isinstance(call, Call) and row.phase == "send":

            def broken(client: Any) -> Any:
                call.run(client)
                raise RuntimeError("a bug in reading")

            return Call(call.method, broken, call.identity)
        return call

    def succeeded(self, row: OutboxRow, value: Any) -> None:
        if self.hits(row, "succeeded"):
            raise RuntimeError("a bug in settling")
        if self.hits(row, "database"):
            OutboxRow.objects.filter(pk=row.pk).update(kind="x" * 100)  # too long for its column
        super().succeeded(row, value)

    def all_sent(self, sent: Sequence[Sent]) -> None:
        for one in sent:
            self.succeeded(one.row, one.value)


@pytest.fixture
def bug(request: pytest.FixtureRequest, template: CouponTemplate) -> Any:
    """Make the delivery of one coupon hit a bug."""
    whole = handlers._handlers[RowKind.DELIVER]

    def plant(where: str, code: str) -> None:
        handlers.register(RowKind.DELIVER, Faulty(where, code))

    yield plant
    handlers.register(RowKind.DELIVER, whole)


@pytest.mark.parametrize("where", ["plan", "run"])
def test_a_bug_in_one_rows_call_sets_it_aside_and_the_others_go_on(
    template: CouponTemplate, bug: Any, where: str
) -> None:
    coupons = [one_coupon(template) for _ in range(4)]
    bug(where, coupons[1].code)
    engine.drain()
    states = [row_of(coupon).state for coupon in coupons]
    assert states == [RowState.DONE, RowState.DEAD, RowState.DONE, RowState.DONE]
    coupons[1].refresh_from_db()
    assert coupons[1].delivery == Delivery.FAILED
    assert "a bug" in row_of(coupons[1]).last_message


@pytest.mark.parametrize("where", ["succeeded", "database"])
def test_a_bug_in_settling_one_row_leaves_it_to_its_lease_and_the_others_go_on(
    template: CouponTemplate, dfire: Dfire, bug: Any, where: str
) -> None:
    coupons = [one_coupon(template) for _ in range(4)]
    bug(where, coupons[1].code)
    engine.drain()
    states = [row_of(coupon).state for coupon in coupons]
    assert states == [RowState.DONE, RowState.SENDING, RowState.DONE, RowState.DONE]
    assert engine._engine.in_flight.total() == 0
    bug("", "")
    leases_run_out()
    drain_through()
    assert (row_of(coupons[1]).state, len(dfire.calls(DELIVER))) == (RowState.DONE, 4)


def test_a_row_that_can_never_be_settled_is_set_aside_in_the_end(template: CouponTemplate, bug: Any) -> None:
    coupon = one_coupon(template)
    bug("succeeded", coupon.code)
    for _ in range(5):
        time_passes()
        engine.drain()
        leases_run_out()
        engine.drain()
    row = row_of(coupon)
    assert (row.state, row.lost_leases) == (RowState.DEAD, 5)


def test_a_row_of_a_kind_that_nobody_knows_stops_nothing(template: CouponTemplate) -> None:
    strange, fine = one_coupon(template), one_coupon(template)
    OutboxRow.objects.filter(coupon=strange).update(kind="of_tomorrow")
    engine.drain()
    assert OutboxRow.objects.get(coupon=strange).state == RowState.DEAD
    assert row_of(fine).state == RowState.DONE


def test_terms_that_cannot_be_said_in_dfires_words_are_set_aside(merchant: Merchant, template: CouponTemplate) -> None:
    unspeakable = published(merchant=merchant)
    version = unspeakable.versions.get()
    TemplateVersion.objects.filter(pk=version.pk).update(terms_json={**version.terms_json, "amount_fen": 1050})
    fine = one_coupon(template)
    engine.drain()
    assert OutboxRow.objects.get(version=version, kind=RowKind.SAVE_PROMOTION).state == RowState.DEAD
    assert row_of(fine).state == RowState.DONE


@pytest.mark.parametrize("latency_ms", [150, 400], ids=["before the drain looks again", "after it"])
def test_a_database_that_goes_away_in_the_middle_ends_the_drain_and_the_next_one_settles(
    template: CouponTemplate, dfire: Dfire, latency_ms: int
) -> None:
    coupons = [one_coupon(template) for _ in range(6)]
    dfire.fault(DELIVER, "latency", times=None, latency_ms=latency_ms)
    ended: list[Any] = []

    def drain() -> None:
        try:
            ended.append(engine.drain())
        except BaseException as error:
            ended.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=drain)
    thread.start()
    while not OutboxRow.objects.filter(state=RowState.SENDING).exists():
        threading.Event().wait(0.01)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        assert cursor.fetchall(), "the drain had a connection"
    thread.join(10)
    assert ended
    assert not isinstance(ended[0], BaseException)
    engine.drain()
    assert {row_of(coupon).state for coupon in coupons} == {RowState.DONE}
    assert all(results(row_of(coupon)) == [("send", "ok")] for coupon in coupons), "a result was lost"
    assert engine._engine.in_flight.total() == 0
