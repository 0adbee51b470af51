"""Asking whether a coupon can be used, taking it back, and binding its holder."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from coupons import lifecycle
from coupons.models import CouponTemplate, IssuedCoupon
from coupons.rules import RuleName
from integrations.models import OutboxRow
from merchants.clock import SHANGHAI, day_start, local_day
from merchants.models import Customer, Merchant
from tests.api.caller import Caller, issue_body, refused, written
from tests.factories import CustomerFactory, ShopFactory, issued, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def coupon(template: CouponTemplate) -> IssuedCoupon:
    """A delivered coupon: 10 yuan off from 50."""
    made = issued(template)
    _delivered(made)
    return made


def _delivered(coupon: IssuedCoupon) -> None:
    IssuedCoupon.objects.filter(pk=coupon.pk).update(
        delivery="delivered", delivered_at=timezone.now(), delivered_openid="o"
    )


def check(api: Caller, coupon: IssuedCoupon, **body: Any) -> dict[str, Any]:
    answer = api.post(f"coupons/{coupon.code}/check/", body)
    assert answer.status_code == 200, answer.content
    said: dict[str, Any] = answer.json()
    assert list(said) == ["usable", "reasons", "rules", "next_usable_at"]
    return said


def test_a_usable_coupon_is_said_to_be_and_every_rule_is_listed(api: Caller, coupon: IssuedCoupon) -> None:
    before = written()
    said = check(api, coupon, amount_fen=5000)
    assert (said["usable"], said["reasons"]) == (True, [])
    assert [rule["rule"] for rule in said["rules"]] == RuleName.values
    assert all(list(rule) == ["rule", "verdict", "code", "message"] for rule in said["rules"])
    assert datetime.fromisoformat(said["next_usable_at"]).tzinfo is not None
    assert written() == before


def test_each_rule_that_refuses_is_named(api: Caller, merchant: Merchant) -> None:
    ShopFactory(merchant=merchant, entity_id="00026863", name="西湖店")
    template = published(
        merchant=merchant, shop_entity_ids=["00026863"], channels=["dine_in"], use_times=["11:00-14:00"]
    )
    coupon = issued(template)
    tomorrow = day_start(local_day(timezone.now()) + timedelta(days=1))
    at = tomorrow.replace(hour=18).isoformat()
    said = check(api, coupon, shop_entity_id="1", amount_fen=4999, at=at, channel="take_away")
    codes = [reason["code"] for reason in said["reasons"]]
    assert codes == ["waiting_for_binding" if coupon.delivery == "waiting" else "not_delivered", "outside_hours",
                     "wrong_shop", "wrong_channel", "below_minimum"]  # fmt: skip
    assert all(reason["message"] for reason in said["reasons"])
    next_noon = (tomorrow + timedelta(days=1)).replace(hour=11)
    assert said["next_usable_at"] == next_noon.isoformat()


def test_the_last_second_of_the_end_date_in_shanghai_is_the_last(api: Caller, coupon: IssuedCoupon) -> None:
    end = coupon.valid_until.astimezone(SHANGHAI)
    assert (end.hour, end.minute, end.second) == (23, 59, 59)
    in_london = f"{end.date()}T15:59:59Z"
    assert check(api, coupon, at=in_london)["usable"] is True
    over = check(api, coupon, at=f"{end.date()}T16:00:00+00:00")
    assert [reason["code"] for reason in over["reasons"]] == ["expired"]
    assert over["next_usable_at"] is None


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({"amount_fen": -1}, "min_value", "amount_fen"),
        ({"amount_fen": "5000"}, "invalid", "amount_fen"),
        ({"amount_fen": 50.5}, "invalid", "amount_fen"),
        ({"amount_fen": 10**13}, "max_value", "amount_fen"),
        ({"channel": "drive_in"}, "invalid_choice", "channel"),
        ({"at": "tomorrow"}, "invalid", "at"),
        ({"at": "2026-12-01T12:00:00"}, "invalid", "at"),
        ({"at": "1999-12-01T12:00:00Z"}, "invalid", "at"),
        ({"shop_entity_id": {}}, "invalid", "shop_entity_id"),
        ({"shop": "1"}, "unknown_field", "shop"),
    ],
)
def test_a_bad_question_names_the_field(
    api: Caller, coupon: IssuedCoupon, body: dict[str, Any], code: str, attr: str
) -> None:
    assert refused(api.post(f"coupons/{coupon.code}/check/", body)) == (400, code, attr)


def test_a_revoke_takes_effect_at_once_and_again_is_the_same_answer(api: Caller, coupon: IssuedCoupon) -> None:
    path = f"coupons/{coupon.code}/revoke/"
    first = api.post(path, {"reason": "returned by 13800138000"})
    assert (first.status_code, first.json()["status"]) == (200, "revoked")
    again = api.post(path, {"reason": "another"})
    assert (again.status_code, again.content) == (200, first.content)
    event = coupon.events.get(kind="revoked")
    assert (event.actor, event.data["reason"]) == ("api:mini-program", "returned by ***")
    assert OutboxRow.objects.filter(coupon=coupon, kind="withdraw").count() == 1
    coupon.template.refresh_from_db()
    assert coupon.template.issued_count == 0


def test_what_is_redeemed_or_being_redeemed_is_not_revoked(api: Caller, template: CouponTemplate) -> None:
    redeemed, redeeming = issued(template), issued(template)
    with transaction.atomic():
        lifecycle.redeem_at_till(lifecycle.lock([redeemed.pk])[0], at=timezone.now())
    IssuedCoupon.objects.filter(pk=redeeming.pk).update(status="redeeming")
    before = written()
    for coupon, code in [(redeemed, "already_redeemed"), (redeeming, "redeeming")]:
        assert refused(api.post(f"coupons/{coupon.code}/revoke/", {"reason": "r"})) == (409, code, None)
    assert written() == before
    assert api.get(f"coupons/{redeemed.code}/").json()["redeemed_at"]


REASONS = [(" ", "blank"), ("x" * 201, "max_length"), (None, "null"), (["r"], "invalid")]


@pytest.mark.parametrize(("body", "code"), [({}, "required"), *(({"reason": said}, code) for said, code in REASONS)])
def test_a_revoke_needs_a_reason(api: Caller, coupon: IssuedCoupon, body: dict[str, Any], code: str) -> None:
    assert refused(api.post(f"coupons/{coupon.code}/revoke/", body)) == (400, code, "reason")


def test_binding_an_openid_releases_what_waited_for_it(api: Caller, template: CouponTemplate) -> None:
    code = api.post("coupons/", issue_body(template.coupon_id)).json()["code"]
    answer = api.put("customers/13800138000/", {"merchant_id": "88", "openid": "o-1"})
    assert answer.status_code == 200
    assert answer.json() == {
        "identifier": "13800138000", "merchant_id": "88", "mobile": "13800138000", "openid": "o-1",
    }  # fmt: skip
    assert api.get(f"coupons/{code}/").json()["delivery"] == "queued"
    assert OutboxRow.objects.get(coupon__code=code).state == "queued"


def test_a_put_makes_the_customer_and_repeats_change_nothing(api: Caller, merchant: Merchant) -> None:
    body = {"merchant_id": "88", "mobile": "13900139000", "openid": "o-2"}
    first = api.put("customers/m-2/", body)
    before = written()
    assert api.put("customers/m-2/", body).content == first.content
    assert api.put("customers/m-2/", {"merchant_id": "88"}).content == first.content, "what is not said stays"
    assert written() == before
    assert Customer.objects.get(merchant=merchant, identifier="m-2").openid == "o-2"


def test_an_openid_that_another_has_is_a_conflict(api: Caller, merchant: Merchant, stranger: Merchant) -> None:
    CustomerFactory(merchant=merchant, identifier="m-1", openid="o-1")
    CustomerFactory(merchant=stranger, identifier="m-1", openid="o-9")
    before = written()
    assert refused(api.put("customers/m-2/", {"merchant_id": "88", "openid": "o-1"})) == (409, "openid_taken", None)
    assert written() == before, "the new customer neither"
    assert api.put("customers/m-2/", {"merchant_id": "88", "openid": "o-9"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "code", "attr"),
    [
        ("customers/m/", {}, "required", "merchant_id"),
        ("customers/m/", {"merchant_id": "88", "mobile": "12345"}, "invalid", "mobile"),
        ("customers/m/", {"merchant_id": "88", "openid": ""}, "blank", "openid"),
        ("customers/m/", {"merchant_id": "88", "openid": "x" * 129}, "max_length", "openid"),
        ("customers/m/", {"merchant_id": "88", "name": "n"}, "unknown_field", "name"),
        (f"customers/{'x' * 129}/", {"merchant_id": "88"}, "max_length", "identifier"),
        ("customers/erased:1/", {"merchant_id": "88"}, "invalid", "identifier"),
    ],
)
def test_a_bad_customer_names_the_field(api: Caller, path: str, body: Any, code: str, attr: str) -> None:
    assert refused(api.put(path, body)) == (400, code, attr)
    assert not Customer.objects.exists()
