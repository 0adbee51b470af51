"""What partners are told: all that happens to their merchants' coupons, as the API reads it, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coupons import issuing, lifecycle, templates
from coupons.issuing import issue_many
from coupons.lifecycle import Holding
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import PartnerApp, WebhookDelivery, WebhookEndpoint
from integrations.models.webhooks import OffReason
from integrations.partner_api.shapes import coupon_shape, template_shape
from integrations.webhooks import driving, lanes, switching
from integrations.webhooks.events import KEPT_WHILE_OFF
from merchants.models import Merchant
from tests.factories import STAFF, CustomerFactory, issued, published
from tests.webhooks.helpers import redeem, revoke, states
from tests.webhooks.partner import Partner

pytestmark = pytest.mark.django_db(transaction=True)


def read(coupon: IssuedCoupon) -> dict[str, Any]:
    """As the API answers it now."""
    return coupon_shape(
        IssuedCoupon.objects.select_related("merchant", "template", "version", "customer").get(pk=coupon.pk)
    )


def deliver(coupon: IssuedCoupon) -> None:
    with transaction.atomic():
        holding = Holding(appid="wx", openid="o", mobile="")
        lifecycle.mark_delivered(lifecycle.lock([coupon.pk])[0], holding)


def give_on(coupon: IssuedCoupon) -> None:
    to = CustomerFactory(merchant=coupon.merchant)
    with transaction.atomic():
        lifecycle.transfer(lifecycle.lock([coupon.pk])[0], to, actor="staff:test")


def expire(coupon: IssuedCoupon) -> None:
    past = timezone.now() - timedelta(days=1)
    IssuedCoupon.objects.filter(pk=coupon.pk).update(valid_from=past, valid_until=past)
    assert lifecycle.expire_due() == 1


@pytest.mark.parametrize(
    ("event", "happens"),
    [
        ("coupon.delivered", deliver), ("coupon.redeemed", redeem), ("coupon.transferred", give_on),
        ("coupon.revoked", revoke), ("coupon.expired", expire),
    ],
)  # fmt: skip
def test_a_coupons_life_is_told_as_the_api_reads_it(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner,
    event: str, happens: Callable[[IssuedCoupon], None],
) -> None:  # fmt: skip
    coupon = issued(template)
    as_issued = read(coupon)
    happens(coupon)
    driving.drain()
    said = {one["type"]: one for one in partner.events()}
    assert set(said) == {"coupon.issued", event}
    assert said[event]["data"] == read(coupon)
    assert said["coupon.issued"]["data"] == as_issued, "frozen at the moment of the event"
    assert set(said[event]) == {"type", "timestamp", "data"}


def test_a_template_is_told_when_it_opens_and_ends(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    templates.pause(template)
    templates.publish(template)
    template.title = "新名字"
    templates.save_edited(template)
    templates.end(template)
    driving.drain()
    template.refresh_from_db()
    assert sorted(partner.types()) == ["template.ended", "template.published"]
    ended = next(one for one in partner.events() if one["type"] == "template.ended")
    assert ended["data"] == template_shape(template)


@pytest.mark.parametrize("used", [True, False])
def test_a_template_that_is_deleted_has_ended(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, used: bool
) -> None:
    if used:
        revoke(issued(template))
    templates.delete(template)
    driving.drain()
    ended = [one for one in partner.events() if one["type"] == "template.ended"]
    assert [one["data"]["status"] for one in ended] == ["ended"]


def test_a_transfer_that_is_undone_is_told_with_the_giver(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    coupon = issued(template)
    giver = coupon.customer
    give_on(coupon)
    with transaction.atomic():
        lifecycle.undo_transfer(lifecycle.lock([coupon.pk])[0], giver, flag="refused")
    driving.drain()
    holders = {one["data"]["identifier"] for one in partner.events() if one["type"] == "coupon.transferred"}
    assert (len(holders), giver.identifier in holders) == (2, True)


def test_only_the_chosen_events_of_the_apps_own_merchants_are_told(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    WebhookEndpoint.objects.update(events=["coupon.revoked"])
    revoke(issued(template))
    foreign = issued(published())
    revoke(foreign)
    driving.drain()
    assert partner.types() == ["coupon.revoked"]
    assert foreign.code not in str(partner.events())
    assert WebhookDelivery.objects.count() == 1


def test_a_merchant_that_is_taken_from_the_app_is_told_of_no_more_even_what_was_pending(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, own: Merchant
) -> None:
    issued(template)
    endpoint.app.merchants.remove(own)
    driving.drain()
    issued(template)
    driving.drain()
    assert (states(), partner.received) == (["dropped"], [])


def test_each_partner_gets_its_own_merchants_events_under_its_own_id(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner, own: Merchant
) -> None:
    second = Partner()
    other = PartnerApp.objects.create(name="收银台")
    other.merchants.add(own)
    WebhookEndpoint.objects.create(app=other, url=second.url, secret=second.secret, events=["coupon.issued"])
    issued(template)
    driving.drain()
    second.stop()
    assert (partner.types(), second.types()) == (["coupon.issued"], ["coupon.issued"])
    assert partner.received[0].id != second.received[0].id


def test_what_is_rolled_back_is_not_told(template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner) -> None:
    with transaction.atomic():
        issued(template)
        assert WebhookDelivery.objects.exists()
        transaction.set_rollback(True)
    driving.drain()
    assert (partner.received, WebhookDelivery.objects.count()) == ([], 0)


def test_many_coupons_take_no_more_questions(template: CouponTemplate, endpoint: WebhookEndpoint) -> None:
    def asked(number: int) -> int:
        customers = [CustomerFactory(merchant=template.merchant) for _ in range(number)]
        with CaptureQueriesContext(
            connection,
        ) as queries:
            issue_many(template=template, customers=[one.pk for one in customers], through=STAFF)
        return len([sql for query in queries if "integrations_webhook" in (sql := query["sql"])])

    assert asked(3) == asked(300) == 2
    assert WebhookDelivery.objects.count() == 303


def test_nothing_is_asked_about_coupons_when_nobody_wants_to_know(template: CouponTemplate) -> None:
    coupons = [issued(template) for _ in range(3)]
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        lifecycle.revoke_many(lifecycle.lock(coupon.pk for coupon in coupons), reason="x", actor="staff:test")
    ours = [query["sql"] for query in queries if "integrations_webhook" in query["sql"]]
    assert len(ours) == 1


def test_an_address_that_was_deleted_meanwhile_does_not_undo_what_happened(
    template: CouponTemplate, endpoint: WebhookEndpoint
) -> None:
    issued(template)
    endpoint.delete()
    assert issuing.issue(template=template, customer=CustomerFactory(merchant=template.merchant), through=STAFF)
    assert not WebhookDelivery.objects.exists()


def test_what_happens_while_an_address_is_off_is_kept_for_three_days(
    template: CouponTemplate, endpoint: WebhookEndpoint, partner: Partner
) -> None:
    with transaction.atomic():
        lane = switching.locked_lane(endpoint.pk)
        assert lane is not None
        switching.switch_off(lane, OffReason.STAFF, timezone.now())
    issued(template)
    driving.drain()
    assert (states(), partner.received) == (["queued"], [])
    lane.off_at = timezone.now() - KEPT_WHILE_OFF - timedelta(minutes=1)
    lane.save()
    issued(template)
    assert lanes.give_up_overdue() == 0
    assert states() == ["queued"]
