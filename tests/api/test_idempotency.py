"""`Idempotency-Key`: the same call has the same answer and happens once, whatever comes at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import ApiAnswer
from integrations.partner_api import one_coupon
from merchants.models import Customer, Merchant
from tests.api.caller import Caller, caller_of, issue_body, refused, written
from tests.factories import issued, published

pytestmark = pytest.mark.django_db(transaction=True)


def test_fifty_equal_calls_at_once_make_one_coupon(api: Caller, template: CouponTemplate, at_once: Any) -> None:
    body = issue_body(template.coupon_id)
    answers = at_once(lambda _n: api.post("coupons/", body, idempotency_key="order-1"), 50)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert IssuedCoupon.objects.count() == 1
    assert Customer.objects.count() == 1


def test_without_a_key_each_call_makes_one(api: Caller, template: CouponTemplate) -> None:
    codes = {api.post("coupons/", issue_body(template.coupon_id)).json()["code"] for _ in range(2)}
    assert len(codes) == 2


def test_of_calls_with_other_bodies_at_once_one_is_done(api: Caller, template: CouponTemplate, at_once: Any) -> None:
    answers = at_once(
        lambda n: api.post("coupons/", issue_body(template.coupon_id, identifier=f"m-{n}"), idempotency_key="k"), 10
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 9
    assert IssuedCoupon.objects.count() == Customer.objects.count() == 1
    assert refused(next(a for a in answers if a.status_code == 422)) == (
        422, "idempotency_key_reused", "Idempotency-Key",
    )  # fmt: skip


def test_a_refusal_is_remembered_even_when_it_would_pass_by_now(api: Caller, merchant: Merchant) -> None:
    template = published(merchant=merchant, stock=0)
    body = issue_body(template.coupon_id)
    first = api.post("coupons/", body, idempotency_key="k")
    assert refused(first) == (409, "out_of_stock", None)
    CouponTemplate.objects.filter(pk=template.pk).update(stock=5)
    again = api.post("coupons/", body, idempotency_key="k")
    assert (again.status_code, again.content) == (409, first.content)
    assert not Customer.objects.exists()
    assert api.post("coupons/", body, idempotency_key="another").status_code == 201


def test_bad_input_and_what_is_not_there_are_remembered_too(api: Caller, template: CouponTemplate) -> None:
    for key, body, status in [("a", {"merchant_id": "88"}, 400), ("b", issue_body("none"), 404)]:
        first, again = (api.post("coupons/", body, idempotency_key=key) for _ in range(2))
        assert first.status_code == again.status_code == status
        assert first.content == again.content
        assert api.post("coupons/", issue_body(template.coupon_id), idempotency_key=key).status_code == 422


def test_equal_calls_of_which_the_first_is_refused_are_all_refused(
    api: Caller, merchant: Merchant, at_once: Any
) -> None:
    template = published(merchant=merchant, stock=0)
    before = written()
    answers = at_once(lambda _n: api.post("coupons/", issue_body(template.coupon_id), idempotency_key="k"), 10)
    assert {answer.status_code for answer in answers} == {409}
    assert len({answer.content for answer in answers}) == 1
    assert written() == before


def test_the_order_of_fields_does_not_make_another_body(api: Caller, template: CouponTemplate) -> None:
    body = issue_body(template.coupon_id)
    first = api.post("coupons/", body, idempotency_key="k")
    turned = dict(reversed(list(body.items())))
    assert api.post("coupons/", turned, idempotency_key="k").content == first.content


def test_a_key_is_one_apps_one_addresss_and_one_days(api: Caller, merchant: Merchant, template: CouponTemplate) -> None:
    body, coupon = issue_body(template.coupon_id), issued(template)
    first = api.post("coupons/", body, idempotency_key="k").json()["code"]
    other = caller_of("other-app", merchant)
    assert other.post("coupons/", body, idempotency_key="k").json()["code"] != first
    assert api.post(f"coupons/{coupon.code}/revoke/", {"reason": "r"}, idempotency_key="k").status_code == 200
    ApiAnswer.objects.update(answered_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert api.post("coupons/", body, idempotency_key="k").json()["code"] == first
    ApiAnswer.objects.update(answered_at=timezone.now() - timedelta(hours=24, seconds=1))
    assert api.post("coupons/", body, idempotency_key="k").json()["code"] != first


def test_an_answer_is_found_under_an_older_encryption_key(api: Caller, template: CouponTemplate, settings: Any) -> None:
    body = issue_body(template.coupon_id)
    first = api.post("coupons/", body, idempotency_key="k")
    settings.FIELD_ENCRYPTION_KEYS = ["bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleTE=", *settings.FIELD_ENCRYPTION_KEYS]
    assert api.post("coupons/", body, idempotency_key="k").content == first.content
    assert api.post("coupons/", issue_body("x"), idempotency_key="k").status_code == 422


def test_a_fault_of_ours_is_not_remembered_and_leaves_nothing(
    api: Caller, template: CouponTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    coupon = issued(template)
    before = written()
    with monkeypatch.context() as broken:
        broken.setattr(one_coupon, "coupon_shape", lambda _coupon: 1 / 0)
        answer = api.post(f"coupons/{coupon.code}/revoke/", {"reason": "r"}, idempotency_key="k")
        assert refused(answer) == (500, "error", None)
        assert "division" not in answer.content.decode()
    assert written() == before
    assert not ApiAnswer.objects.exists()
    again = api.post(f"coupons/{coupon.code}/revoke/", {"reason": "r"}, idempotency_key="k")
    assert again.json()["status"] == "revoked"


@pytest.mark.parametrize("key", ["", "  ", "x" * 256, "a\tb", "ü"])
def test_a_key_that_is_none_is_refused(api: Caller, template: CouponTemplate, key: str) -> None:
    answer = api.post("coupons/", issue_body(template.coupon_id), idempotency_key=key)
    assert refused(answer) == (400, "invalid_idempotency_key", "Idempotency-Key")
    assert not IssuedCoupon.objects.exists()


def test_no_name_can_be_tried_out_on_what_is_kept(api: Caller, merchant: Merchant) -> None:
    empty = published(merchant=merchant, stock=0)
    api.post("coupons/", issue_body(empty.coupon_id), idempotency_key="welcome-13800138000")
    kept = ApiAnswer.objects.get()
    assert "13800138000" not in f"{kept.path}{kept.answer}{kept.key_hash}{kept.body_hash}"
    assert len(kept.key_hash) == len(kept.body_hash) == 64


def test_of_many_who_bind_one_openid_at_once_one_has_it(api: Caller, merchant: Merchant, at_once: Any) -> None:
    answers = at_once(lambda n: api.put(f"customers/m-{n}/", {"merchant_id": "88", "openid": "o-1"}), 10)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    assert {answer.json()["errors"][0]["code"] for answer in answers if answer.status_code == 409} == {"openid_taken"}
    assert Customer.objects.get().openid == "o-1", "the others were not made"


def test_stock_is_never_exceeded_and_one_per_person_means_one(api: Caller, merchant: Merchant, at_once: Any) -> None:
    few, single = published(merchant=merchant, stock=3), published(merchant=merchant, per_person_limit=1)
    answers = at_once(lambda n: api.post("coupons/", issue_body(few.coupon_id, identifier=f"m-{n}")), 10)
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 7
    answers = at_once(lambda n: api.post("coupons/", issue_body(single.coupon_id), idempotency_key=f"k-{n}"), 10)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert IssuedCoupon.objects.count() == 4
