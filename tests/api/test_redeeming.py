"""Redeeming through the API, against a dfire at the socket that answers at once: who may, what for, what is told."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from coupons.models import IssuedCoupon
from integrations.models import OutboxRow, PartnerOrder
from integrations.models.partners import Scope
from merchants.clock import local_day
from merchants.models import Merchant
from tests.api.caller import caller_of, refused, written
from tests.api.redeeming import VERIFY, Scene, figures, order
from tests.factories import MerchantFactory, ShopFactory, issued

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_redemption_is_settled_with_dfire_before_it_is_answered(scene: Scene) -> None:
    answer = scene.redeem()
    said = answer.json()
    assert (answer.status_code, said["status"]) == (200, "redeemed"), said
    assert said["redeemed_at"]
    assert (scene.spent()["status"], scene.spent()["order_id"]) == ("used", "o-1")
    coupon = scene.fresh()
    assert (coupon.redeemed_through, coupon.paid_fen, coupon.saved_fen) == ("api", 5600, 1000)
    assert scene.api.get(f"coupons/{coupon.code}/").json() == said
    [sent] = scene.dfire.calls(VERIFY)
    assert (sent["orderId"], sent["needFee"], sent["savedFee"]) == ("o-1", "5600", "1000")
    assert (sent["orderDate"], sent["entityId"]) == (
        local_day(coupon.redeemed_at).strftime("%Y%m%d"),
        coupon.merchant.entity_id,
    )
    history = {event.kind: event for event in coupon.events.all()}
    assert [history[kind].actor for kind in ("redeeming", "redeemed")] == ["api:mini-program"] * 2
    assert history["redeeming"].data["order"] == "o-1"


def test_the_same_order_again_is_told_its_present_state(scene: Scene) -> None:
    first, again = scene.redeem(), scene.redeem(" o-1 ", order_date=str(timezone.localdate() - timedelta(days=1)))
    assert (again.status_code, again.content) == (200, first.content)
    assert len(scene.dfire.calls(VERIFY)) == 1


@pytest.mark.parametrize("field", ["paid_fen", "saved_fen"])
def test_the_same_order_with_other_amounts_is_refused(scene: Scene, field: str) -> None:
    scene.redeem()
    assert refused(scene.redeem(**{field: 1})) == (422, "order_id_reused", field)
    assert (scene.fresh().paid_fen, scene.fresh().saved_fen) == (5600, 1000)


def test_another_order_comes_too_late(scene: Scene) -> None:
    scene.redeem()
    assert refused(scene.redeem("o-2")) == (409, "already_redeemed", None)
    assert scene.spent()["order_id"] == "o-1"


def test_an_order_of_another_app_is_another_order_whatever_it_is_called(scene: Scene) -> None:
    scene.redeem()
    other = caller_of("other-app", scene.coupon.merchant)
    answer = other.post(f"coupons/{scene.coupon.code}/redeem/", order())
    assert refused(answer) == (409, "already_redeemed", None)


def test_a_shop_is_told_to_dfire_and_kept(scene: Scene) -> None:
    shop = ShopFactory(merchant=scene.coupon.merchant, entity_id="00026863")
    yesterday = timezone.localdate() - timedelta(days=1)
    assert scene.redeem(shop_entity_id="00026863", order_date=str(yesterday)).status_code == 200
    [sent] = scene.dfire.calls(VERIFY)
    assert (sent["entityId"], sent["orderDate"]) == ("00026863", yesterday.strftime("%Y%m%d"))
    assert scene.fresh().redeemed_shop == shop


def test_figures_and_budget_count_it_once(scene: Scene) -> None:
    before = figures()
    scene.redeem()
    after = figures()
    assert (before["issued"], before["delivered"], before.get("used")) == (1, 1, None)
    assert {name: after[name] for name in ("issued", "delivered", "used", "redeemed", "saved_fen", "paid_fen")} == {
        "issued": 1, "delivered": 1, "used": 1, "redeemed": 1, "saved_fen": 1000, "paid_fen": 5600,
    }  # fmt: skip
    scene.template.refresh_from_db()
    assert (scene.template.issued_count, scene.template.committed_fen) == (1, 1000)


@pytest.mark.parametrize("delivery", ["queued", "waiting", "failed"])
def test_what_dfire_does_not_hold_yet_cannot_be_redeemed(scene: Scene, delivery: str) -> None:
    IssuedCoupon.objects.filter(pk=scene.coupon.pk).update(delivery=delivery)
    assert refused(scene.redeem()) == (409, "not_delivered", None)
    assert not PartnerOrder.objects.exists()


def test_without_a_dfire_account_nothing_can_be_redeemed(scene: Scene) -> None:
    Merchant.objects.update(dfire_account=None)
    assert refused(scene.redeem()) == (409, "not_delivered", None)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"status": "revoked"}, "revoked"),
        ({"status": "expired"}, "expired"),
        ({"valid_from": timezone.now() - timedelta(days=2), "valid_until": timezone.now() - timedelta(days=1)},
         "expired"),
        ({"valid_from": timezone.now() + timedelta(days=1)}, "not_yet_valid"),
        ({"status": "redeemed", "redeemed_at": timezone.now()}, "already_redeemed"),
        ({"status": "redeeming"}, "redeeming"),
    ],
)  # fmt: skip
def test_the_coupons_own_state_is_asked_first(scene: Scene, state: dict[str, Any], code: str) -> None:
    IssuedCoupon.objects.filter(pk=scene.coupon.pk).update(**state)
    assert refused(scene.redeem()) == (409, code, None)
    assert not scene.dfire.calls(VERIFY)


def test_the_rules_are_those_of_check(scene: Scene) -> None:
    assert refused(scene.redeem(paid_fen=3999)) == (409, "below_minimum", None)
    assert refused(scene.redeem(shop_entity_id="nowhere")) == (409, "wrong_shop", None)
    told = scene.api.post(f"coupons/{scene.coupon.code}/check/", {"amount_fen": 4999}).json()
    assert [reason["code"] for reason in told["reasons"]] == ["below_minimum"]
    assert scene.redeem(paid_fen=4000).status_code == 200, "the bill is what was paid and what was saved"


BAD = [
    ({}, {("required", "order_id"), ("required", "paid_fen"), ("required", "saved_fen")}),
    (order(""), {("blank", "order_id")}),
    (order("x" * 65), {("max_length", "order_id")}),
    (order("a\tb"), {("invalid", "order_id")}),
    (order(None), {("null", "order_id")}),
    (order(paid_fen=-1), {("min_value", "paid_fen")}),
    (order(paid_fen=10**12 + 1), {("max_value", "paid_fen")}),
    (order(paid_fen="5600"), {("invalid", "paid_fen")}),
    (order(saved_fen=1.5), {("invalid", "saved_fen")}),
    (order(saved_fen=True), {("invalid", "saved_fen")}),
    (order(order_date="28.11.2026"), {("invalid", "order_date")}),
    (order(order_date="2026-02-30"), {("invalid", "order_date")}),
    (order(order_date="1999-12-31"), {("invalid", "order_date")}),
    (order(shop_entity_id=""), {("blank", "shop_entity_id")}),
    (order(shop="1"), {("unknown_field", "shop")}),
]


@pytest.mark.parametrize(("body", "expected"), BAD, ids=map(str, range(len(BAD))))
def test_bad_input_names_the_field_and_changes_nothing(scene: Scene, body: Any, expected: set[Any]) -> None:
    before = written()
    answer = scene.api.post(f"coupons/{scene.coupon.code}/redeem/", body)
    assert answer.status_code == 400
    assert {(error["code"], error["attr"]) for error in answer.json()["errors"]} == expected
    assert (written(), scene.fresh().status) == (before, "issued")


def test_an_order_of_the_future_is_a_conflict(scene: Scene) -> None:
    before = written()
    answer = scene.redeem(order_date=str(timezone.localdate() + timedelta(days=3)))
    assert refused(answer) == (409, "order_date_ahead", "order_date")
    assert (written(), scene.fresh().status) == (before, "issued")


def test_the_scope_and_the_merchant_are_needed(scene: Scene) -> None:
    path, scopes = f"coupons/{scene.coupon.code}/redeem/", [scope for scope in Scope.values if "redeem" not in scope]
    reader = caller_of("reader", scene.coupon.merchant, scopes=scopes)
    assert refused(reader.post(path, order())) == (403, "permission_denied", None)
    stranger = caller_of("stranger", MerchantFactory(merchant_id="99"))
    assert refused(stranger.post(path, order())) == (404, "not_found", None)
    assert refused(scene.api.post("coupons/0000000000000000/redeem/", order())) == (404, "not_found", None)
    assert scene.fresh().status == "issued"


def test_an_idempotency_key_gives_the_final_answer_again(scene: Scene) -> None:
    key = {"idempotency_key": "k"}
    first, again = scene.redeem(headers=key), scene.redeem(headers=key)
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert refused(scene.redeem("o-2", headers=key)) == (422, "idempotency_key_reused", "Idempotency-Key")
    second = {"idempotency_key": "k2"}
    assert [refused(scene.redeem("o-2", headers=second))[1] for _ in range(2)] == ["already_redeemed"] * 2


def test_the_other_coupons_of_the_customer_are_none_of_its_business(scene: Scene) -> None:
    other = issued(scene.template, scene.coupon.customer)
    scene.redeem()
    assert IssuedCoupon.objects.get(pk=other.pk).status == "issued"
    assert OutboxRow.objects.get(coupon=other).state == "queued"
