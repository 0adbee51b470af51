"""What stays for good, the history of coupons and the log, holds no name of a customer."""

import logging
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import transaction

from config import logs
from coupons import lifecycle
from coupons.choices import Delivery
from coupons.models import CouponEvent, IssuedCoupon
from integrations.models import PushAnswer
from integrations.outbox import engine
from integrations.smart_coupon import pushes
from integrations.smart_coupon.revisions import FIRST
from tests.factories import CustomerFactory, issued
from tests.hooks.helpers import address_of, give_push, post
from tests.outbox.dfire import DELIVER, Dfire
from tests.retention.conftest import Known

pytestmark = pytest.mark.django_db(transaction=True)


def stored(coupon: IssuedCoupon, kind: str) -> dict[str, object]:
    """The details of the coupon's last event of a kind, as the database has them."""
    return CouponEvent.objects.filter(coupon=coupon, kind=kind).latest("id").data


def test_a_reason_is_stored_without_the_holders_names(known: Known) -> None:
    coupon = issued(known.template, CustomerFactory(merchant=known.template.merchant, identifier="m-42", openid="o-42"))
    with transaction.atomic():
        locked = lifecycle.lock([coupon.pk])[0]
        lifecycle.revoke(locked, reason="m-42 (o-42, 13012345678) no m-421 in 2026", actor="staff:lili")
    assert stored(coupon, "revoked") == {"reason": "*** (***, ***) no m-421 in 2026"}


def test_what_dfire_said_is_stored_without_the_holders_names(known: Known, dfire: Dfire) -> None:
    customer = CustomerFactory(merchant=known.template.merchant, openid="o-unlucky-0001")
    dfire.fault(DELIVER, "refuse", code="005", message=f"会员不存在 o-unlucky-0001 {customer.mobile}")
    coupon = issued(known.template, customer)
    engine.drain()
    assert stored(coupon, "delivery_failed") == {"code": "005", "message": "会员不存在 *** ***"}


def test_details_inside_of_details_are_cleared_too(known: Known) -> None:
    coupon = known.of_another
    name = coupon.customer.openid
    lifecycle.note(coupon, "flagged", "portal", {"flag": "x", "seen": [{"holder": f"held by {name}"}, 3]})
    assert stored(coupon, "flagged") == {"flag": "x", "seen": [{"holder": "held by ***"}, 3]}


def test_facts_stay_as_they_are(known: Known) -> None:
    event = stored(known.redeemed, "redeemed")
    assert event["through"] == "till"
    assert event["entity_id"] == "99927548"
    lifecycle.mark_delivery(issued(known.template), Delivery.WAITING, details={"missing": "openid_missing"})
    assert CouponEvent.objects.latest("id").data == {"missing": "openid_missing"}


def test_what_repeats_are_known_by_cannot_be_tried_out(known: Known) -> None:
    """A plain hash of a push would tell a mobile number to whoever has an evening."""
    push = give_push(known.template.coupon_id, identifier="13000000001")
    post(address_of(known.platform, "coupon-detail"), push)
    plain = pushes.digest(pushes.read_give(push, FIRST))
    assert not PushAnswer.objects.filter(digest=plain).exists()


def test_a_repeat_is_known_after_a_new_key_was_put_in_front(known: Known, settings: Any) -> None:
    push = give_push(known.template.coupon_id, identifier="13000000001")
    address = address_of(known.platform, "coupon-detail")
    first = post(address, push).json()
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_ENCRYPTION_KEYS]
    assert post(address, push).json() == first


def test_no_whole_mobile_number_stands_in_the_log() -> None:
    try:
        raise ValueError("Key (identifier)=(13812345678) exists")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "of %s", ("13812345678",), None)
        record.exc_info = (ValueError, error, error.__traceback__)
    line = logs.formatter("json").format(record)
    assert "13812345678" not in line
    assert line.count("138****5678") >= 2, "in the message and in the traceback"
