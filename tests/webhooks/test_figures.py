"""What Prometheus is told of webhooks: by indexes of the few that have not arrived, however long the log."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from prometheus_client import REGISTRY

from coupons.models import CouponTemplate
from integrations import figures
from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookLane
from integrations.webhooks import driving
from tests.factories import issued
from tests.webhooks.partner import Partner, answers

pytestmark = pytest.mark.django_db(transaction=True)


def told() -> dict[str, Any]:
    """The figures, rows by their state."""
    rows, oldest = figures._webhooks()
    return {
        **{sample.labels["state"]: sample.value for sample in rows.samples},
        "oldest": oldest.samples[0].value,
    }


def test_what_has_not_arrived_is_told_by_state_with_its_age(
    template: CouponTemplate, endpoint: WebhookEndpoint
) -> None:
    assert told() == {"queued": 0, "sending": 0, "failed": 0, "off": 0, "oldest": 0}
    for _ in range(4):
        issued(template)
    first, second = WebhookDelivery.objects.order_by("pk").values_list("pk", flat=True)[:2]
    WebhookDelivery.objects.filter(pk=first).update(created_at=timezone.now() - timedelta(hours=2))
    WebhookDelivery.objects.filter(pk=second).update(state="failed")
    found = told()
    assert (found["queued"], found["failed"], found["oldest"] > 7000) == (3, 1, True)
    WebhookLane.objects.create(endpoint=endpoint, off_at=timezone.now())
    assert told() == {"queued": 0, "sending": 0, "failed": 1, "off": 3, "oldest": 0}


def test_of_very_many_no_more_are_counted(
    template: CouponTemplate, endpoint: WebhookEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(6):
        issued(template)
    half = WebhookDelivery.objects.order_by("pk").values_list("pk", flat=True)[:3]
    WebhookDelivery.objects.filter(pk__in=list(half)).update(state="failed")
    monkeypatch.setattr(figures, "MOST_COUNTED", 2)
    found = told()
    assert (found["queued"], found["failed"]) == (2, 2)


def test_without_the_webhooks_figures_all_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "_WEBHOOKS", "SELECT 1 / 0")
    names = [family.name for family in figures.collect()]
    assert "portal_outbox_rows" in names
    assert "portal_incidents_open" in names
    assert not [name for name in names if "webhook" in name]


def test_calls_are_counted_by_event_and_result(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    def counted(result: str) -> float:
        labels = {"kind": "coupon.issued", "result": result}
        return REGISTRY.get_sample_value("portal_webhook_attempts_total", labels) or 0.0

    before = counted("ok"), counted("refused")
    partner.next = [answers(500)]
    issued(template)
    issued(template)
    driving.drain()
    assert (counted("ok") - before[0], counted("refused") - before[1]) == (1, 1)


def test_a_long_log_is_never_read(template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner) -> None:
    issued(template)
    driving.drain()
    with connection.cursor() as cursor:
        names = [field.column for field in WebhookDelivery._meta.concrete_fields]
        columns = ", ".join(name for name in names if name not in ("id", "message_id"))
        cursor.execute(
            f"INSERT INTO integrations_webhookdelivery (message_id, {columns})"
            f" SELECT gen_random_uuid(), {columns} FROM integrations_webhookdelivery, generate_series(1, 50000)"
        )
        issued(template)
        cursor.execute("ANALYZE integrations_webhookdelivery")
        due = figures._WEBHOOKS.format(most=figures.MOST_COUNTED)
        cursor.execute(f"EXPLAIN {due}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Seq Scan on integrations_webhookdelivery" not in plan, plan
    assert driving.drain() == 1
