"""The trail is appended to. Nothing changes it, and only pruning by age takes from it."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from merchants.audit.recording import record
from merchants.audit.triggers import KEPT
from merchants.audit.watching import watched
from merchants.models import AuditEntry
from tests.audit.conftest import entries
from tests.factories import CouponTemplateFactory, MerchantFactory

pytestmark = pytest.mark.django_db


def refused(statement: Any) -> None:
    """The database refuses it."""
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        statement()


def raw(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def aged(days: int) -> AuditEntry:
    """An entry of so many days ago."""
    return AuditEntry.objects.create(actor="x", action="acted", at=timezone.now() - timedelta(days=days))


def test_nothing_changes_or_removes_an_entry() -> None:
    entry = record(None, "x")
    entry.reason = "another"
    refused(entry.save)
    refused(lambda: AuditEntry.objects.update(actor="nobody"))
    refused(entry.delete)
    refused(AuditEntry.objects.all().delete)
    refused(lambda: raw("UPDATE merchants_auditentry SET actor = 'nobody'"))
    refused(lambda: raw("DELETE FROM merchants_auditentry"))
    raw("ALTER TABLE merchants_auditentry ENABLE TRIGGER auditentry_never_emptied")  # tests/conftest.py
    refused(lambda: raw("TRUNCATE merchants_auditentry CASCADE"))
    assert AuditEntry.objects.get(pk=entry.pk).reason == ""


def test_what_is_watched_cannot_be_emptied_past_the_trail() -> None:
    for table in watched():
        raw(f"ALTER TABLE {table} ENABLE TRIGGER {table}_{KEPT}")  # tests/conftest.py
        with pytest.raises(IntegrityError, match="would not be told"), transaction.atomic():
            raw(f"TRUNCATE {table} CASCADE")


def test_no_deletion_takes_entries_along() -> None:
    merchant = MerchantFactory()
    template = CouponTemplateFactory(merchant=merchant)
    template.delete()
    before = AuditEntry.objects.count()
    merchant.delete()
    assert AuditEntry.objects.count() == before + 1
    assert entries(merchant) == []  # its key is gone from the instance, not from the trail
    assert AuditEntry.objects.filter(merchant_id=AuditEntry.objects.latest("pk").merchant_id).count() >= 4


def test_pruning_takes_what_has_come_of_age_and_leaves_the_rest(settings: Any) -> None:
    settings.RETENTION_AUDIT_DAYS, settings.RETENTION_BATCH, settings.RETENTION_PAUSE_SECONDS = 1095, 2, 0
    old, young = [aged(1100), aged(1200), aged(1300)], aged(1000)
    call_command("prune")
    left = set(AuditEntry.objects.values_list("pk", flat=True))
    assert not left & {entry.pk for entry in old}
    assert young.pk in left
    told = AuditEntry.objects.latest("pk")
    assert (told.act, told.changes["audit entries"]) == ("Pruned by age: %(what)s", 3)
    refused(young.delete)  # the permission ended with the run's transactions


@pytest.mark.parametrize(("days", "kept"), [(0, {40, 20}), (1, {20})])
def test_a_setting_keeps_for_good_and_none_reaches_the_last_month(settings: Any, days: int, kept: set[int]) -> None:
    settings.RETENTION_AUDIT_DAYS = days
    made = {age: aged(age) for age in (40, 20)}
    call_command("prune")
    assert {age for age, entry in made.items() if AuditEntry.objects.filter(pk=entry.pk).exists()} == kept


def test_the_permission_to_prune_reaches_nothing_of_the_last_month_and_no_change() -> None:
    entry, young = aged(40), aged(20)
    with transaction.atomic():
        raw("SET LOCAL portal.audit_prunes = 'on'")
        refused(young.delete)
        refused(lambda: AuditEntry.objects.filter(pk=entry.pk).update(actor="y"))
        AuditEntry.objects.filter(pk=entry.pk).delete()
    assert not AuditEntry.objects.filter(pk=entry.pk).exists()
