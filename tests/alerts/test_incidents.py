"""One incident for one thing the matter, however often and by however many it is found, told to those it concerns."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from integrations.alerts.incidents import close_incident, raise_incident
from integrations.models import AlertTarget, Incident, Notice
from integrations.models.alerts import IncidentKind, Severity
from tests.alerts.helpers import notices_become_due, send_all
from tests.alerts.receivers import Web
from tests.factories import DfireAccountFactory, MerchantFactory

pytestmark = pytest.mark.django_db(transaction=True)
DEAD, STOPPED = IncidentKind.DEAD_LETTERS, IncidentKind.ACCOUNT_STOPPED


def target(name: str = "ops", **fields: Any) -> AlertTarget:
    return AlertTarget.objects.create(name=name, address="json://127.0.0.1:9/", **fields)


def told(incident: Incident) -> set[str]:
    return set(incident.notices.values_list("target__name", flat=True))


def test_found_again_it_is_the_same_with_new_figures() -> None:
    target()
    merchant = MerchantFactory()
    first = raise_incident(DEAD, merchant=merchant, figures={"count": 1})
    again = raise_incident(DEAD, merchant=merchant, figures={"count": 9})
    assert (again.pk, again.opened_at, again.figures) == (first.pk, first.opened_at, {"count": 9})
    assert Notice.objects.count() == 1


def test_other_kinds_and_other_subjects_are_incidents_of_their_own() -> None:
    one, two = MerchantFactory(), MerchantFactory()
    found = [
        raise_incident(DEAD, merchant=one),
        raise_incident(DEAD, merchant=two),
        raise_incident(IncidentKind.DRIFT, merchant=one),
        raise_incident(IncidentKind.WEBHOOK_OFF, merchant=one, subject="webhook:1"),
        raise_incident(IncidentKind.WEBHOOK_OFF, merchant=one, subject="webhook:2"),
    ]
    assert len({incident.pk for incident in found}) == 5


def test_the_database_refuses_a_second_open_one() -> None:
    incident = raise_incident(DEAD, merchant=MerchantFactory())
    with pytest.raises(IntegrityError, match="incident_one_open_of_a_subject"), transaction.atomic():
        Incident.objects.create(kind=DEAD, severity=1, subject=incident.subject, opened_at=timezone.now())


def test_many_workers_that_find_it_at_once_open_one_and_tell_once() -> None:
    target()
    merchant = MerchantFactory()
    at_once(8, lambda: raise_incident(DEAD, merchant=merchant, figures={"count": 1}))
    assert (Incident.objects.count(), Notice.objects.count()) == (1, 1)
    at_once(8, lambda: close_incident(DEAD, merchant=merchant))
    assert Notice.objects.filter(event="closed").count() == 1


def test_closing_says_whether_it_was_open() -> None:
    merchant = MerchantFactory()
    assert not close_incident(DEAD, merchant=merchant)
    raise_incident(DEAD, merchant=merchant)
    assert close_incident(DEAD, merchant=merchant)
    assert not close_incident(DEAD, merchant=merchant)


def test_what_comes_back_at_once_is_the_same_incident_and_nobody_is_told_again() -> None:
    target()
    merchant = MerchantFactory()
    first = raise_incident(DEAD, merchant=merchant)
    for _ in range(3):
        close_incident(DEAD, merchant=merchant)
        assert raise_incident(DEAD, merchant=merchant).pk == first.pk
    first.refresh_from_db()
    assert (first.times, first.closed_at) == (4, None)
    assert list(Notice.objects.values_list("event", flat=True)) == ["opened"]


def test_what_comes_back_later_is_a_new_one() -> None:
    merchant = MerchantFactory()
    first = raise_incident(DEAD, merchant=merchant)
    close_incident(DEAD, merchant=merchant)
    long_ago = timezone.now() - timedelta(minutes=5)
    Incident.objects.update(opened_at=long_ago, closed_at=long_ago)
    assert raise_incident(DEAD, merchant=merchant).pk != first.pk


def test_what_comes_back_after_its_end_was_told_is_a_new_one(web: Web) -> None:
    AlertTarget.objects.create(name="a", address=web.address)
    merchant = MerchantFactory()
    first = raise_incident(DEAD, merchant=merchant)
    close_incident(DEAD, merchant=merchant)
    notices_become_due()
    send_all()
    assert raise_incident(DEAD, merchant=merchant).pk != first.pk


def test_nothing_is_left_of_what_is_rolled_back() -> None:
    target()
    with transaction.atomic():
        raise_incident(DEAD, merchant=MerchantFactory())
        transaction.set_rollback(True)
    assert (Incident.objects.count(), Notice.objects.count()) == (0, 0)


def test_a_target_is_told_of_its_severity_and_worse() -> None:
    target("all")
    target("critical", least_severity=Severity.CRITICAL)
    target("off", active=False)
    merchant = MerchantFactory()
    assert told(raise_incident(DEAD, merchant=merchant)) == {"all"}
    assert told(raise_incident(STOPPED, account=merchant.dfire_account)) == {"all", "critical"}


def test_a_target_is_told_of_its_merchants_and_of_their_accounts() -> None:
    account = DfireAccountFactory()
    own, other = MerchantFactory(dfire_account=account), MerchantFactory()
    neighbour = MerchantFactory(dfire_account=account)
    target("all")
    target("own").merchants.add(own)
    target("both").merchants.add(own, neighbour)
    assert told(raise_incident(DEAD, merchant=own)) == {"all", "own", "both"}
    assert told(raise_incident(DEAD, merchant=other)) == {"all"}
    assert told(raise_incident(STOPPED, account=account)) == {"all", "own", "both"}
    assert told(raise_incident(STOPPED, account=other.dfire_account)) == {"all"}
    assert told(raise_incident(IncidentKind.DRIFT)) == {"all"}


def at_once(count: int, act: Any) -> None:
    """Let so many threads do it at the same moment."""
    barrier = threading.Barrier(count)
    faults: list[Exception] = []

    def run() -> None:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            act()
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
