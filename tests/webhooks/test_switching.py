"""An address that keeps failing is switched off with notice, and on again by staff with or without what is pending."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.utils import timezone

from coupons.models import CouponTemplate
from integrations.alerts.kinds import happened
from integrations.models import Incident, PartnerApp, WebhookDelivery, WebhookEndpoint, WebhookLane
from integrations.models.alerts import IncidentKind
from integrations.models.webhooks import OffReason
from integrations.webhooks import driving, resending, switching
from integrations.webhooks.events import new_test
from merchants.models import Merchant
from tests.factories import MerchantFactory, issued
from tests.webhooks.helpers import states, time_passes
from tests.webhooks.partner import Partner, answers

pytestmark = pytest.mark.django_db(transaction=True)


def fail(times: int) -> None:
    """So many calls come to nothing."""
    for _ in range(times):
        time_passes()
        driving.drain()


def is_off() -> bool:
    return WebhookLane.objects.get().off_at is not None


def test_a_day_of_failures_switches_it_off_and_says_so(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, own: Merchant, settings: LazySettings
) -> None:
    WebhookEndpoint.objects.update(url=f"{partner.url}?token=t0p-s3cr3t")
    partner.always = answers(500)
    issued(template)
    fail(settings.WEBHOOK_OFF_AFTER_TRIES)
    assert not is_off(), "the tries are enough, the time is not"
    WebhookLane.objects.update(failing_since=timezone.now() - timedelta(hours=25))
    fail(1)
    assert is_off()
    incident = Incident.objects.get(kind=IncidentKind.WEBHOOK_OFF)
    assert (incident.closed_at, incident.merchant, incident.subject) == (None, own, f"webhook:{endpoint.pk}")
    assert partner.url in happened(incident)
    assert "t0p-s3cr3t" not in happened(incident)
    issued(template)
    before = len(partner.received)
    fail(1)
    assert (len(partner.received), states()) == (before, ["queued", "queued"])


def test_a_few_failures_are_too_few_however_long_ago_they_began(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    partner.always = answers(500)
    issued(template)
    fail(1)
    WebhookLane.objects.update(failing_since=timezone.now() - timedelta(hours=60))
    fail(3)
    assert not is_off()


def test_one_that_arrives_begins_the_count_anew(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    partner.always = answers(500)
    issued(template)
    fail(2)
    partner.always = answers(200)
    fail(1)
    lane = WebhookLane.objects.get()
    assert (lane.failures, lane.failing_since, lane.last_ok_at is None) == (0, None, False)


def test_an_address_that_says_that_it_is_gone_is_off_at_once(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, app: PartnerApp
) -> None:
    app.merchants.add(MerchantFactory())
    partner.next = [answers(410)]
    issued(template)
    driving.drain()
    lane = WebhookLane.objects.get()
    assert (lane.off_reason, states()) == (OffReason.GONE, ["queued"])
    incident = Incident.objects.get()
    assert (incident.merchant, incident.figures["status"]) == (None, "410")


@pytest.mark.parametrize(("send", "then"), [(True, ["done", "done"]), (False, ["dropped", "dropped"])])
def test_switched_on_again_with_or_without_what_is_pending(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, send: bool, then: list[str]
) -> None:
    partner.next = [answers(410)]
    issued(template)
    driving.drain()
    issued(template)
    WebhookDelivery.objects.update(give_up_at=timezone.now() - timedelta(days=1))  # long off
    driving.drain()
    assert states() == ["queued", "queued"]
    assert switching.switch_on(endpoint, send_pending=send) == 2
    driving.drain()
    assert (states(), is_off()) == (then, False)
    assert len(partner.received) == (3 if send else 1)
    assert Incident.objects.get().closed_at is not None
    issued(template)
    driving.drain()
    assert states()[-1] == "done"


def test_a_test_event_goes_out_at_once_even_to_an_address_that_is_off(
    endpoint: WebhookEndpoint, partner: Partner
) -> None:
    lane = WebhookLane.objects.create(endpoint=endpoint, off_at=timezone.now(), off_reason=OffReason.FAILING)
    partner.next = [answers(500)]
    for status in (500, 200):
        outcome = driving.send_test(new_test(endpoint))
        assert outcome is not None
        assert outcome.status == status
    assert (partner.types(), states()) == (["webhook.test", "webhook.test"], ["failed", "done"])
    lane.refresh_from_db()
    assert (lane.failures, lane.off_at is None) == (0, False)
    assert driving.drain() == 0
    assert len(resending.resend(WebhookDelivery.objects.all())) == 0


def test_resending_leaves_what_is_on_its_way_and_what_is_off(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    issued(template)
    assert len(resending.resend(WebhookDelivery.objects.all())) == 0
    driving.drain()
    assert len(resending.resend(WebhookDelivery.objects.all())) == 1
    driving.drain()
    assert (len(partner.received), len({one.id for one in partner.received})) == (2, 1)
    WebhookLane.objects.update(off_at=timezone.now())
    assert len(resending.resend(WebhookDelivery.objects.all())) == 0
