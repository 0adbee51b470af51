"""What is signed with the developer key passes, anything else does not (PROTOCOLS §2; the platform's own vectors)."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from coupons import templates
from coupons.models import CouponTemplate, IssuedCoupon
from integrations.models import PushAnswer, SignatureSeen
from integrations.sandbox.signing import platform_sign_time
from integrations.smart_coupon.signatures import body_signatures, java_double, time_signatures
from merchants.models import SmartCouponAccount
from tests.hooks.helpers import address_of, create_push, made, post
from tests.hooks.revisions import KEY, campaign, grant, made_id, raw, signed

VECTORS = json.loads((Path(settings.BASE_DIR) / "tests/vectors/smartcoupon_sign.json").read_text())["cases"]
LATER = pytest.mark.parametrize("revision", [2, 3])


@pytest.fixture
def keyed(platform: SmartCouponAccount) -> SmartCouponAccount:
    """The account with a developer key, which demands signatures."""
    platform.developer_key, platform.require_signature = KEY, True
    platform.save()
    return platform


def code_of(response: Any) -> tuple[int, str]:
    body = response.json()
    return response.status_code, body["error"]["code"] if "error" in body else body["return_code"]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: f"{case['revision']}-{case['name']}")
def test_the_platforms_own_vectors(case: dict[str, Any]) -> None:
    body = case["body"]
    made = body_signatures(raw(body), case["developer_key"]) if case["revision"] == 2 else time_signatures(
        body, case["developer_key"]
    )  # fmt: skip
    assert body["data_signature"] in made


@pytest.mark.parametrize(
    ("text", "java"),
    [
        ("10", "10.0"), ("0", "0.0"), ("7.50", "7.5"), ("12345678.5", "1.23456785E7"), ("10000000", "1.0E7"),
        ("9999999", "9999999.0"), ("0.001", "0.001"), ("0.00012", "1.2E-4"), ("1e3", "1000.0"), ("-0.5", "-0.5"),
        ("1e400", "Infinity"), ("-1E400", "-Infinity"), ("1e-400", "0.0"),
    ],
)  # fmt: skip
def test_doubles_as_java_prints_them(text: str, java: str) -> None:
    assert java_double(text) == java


@pytest.mark.django_db
@LATER
def test_a_signed_push_is_taken(keyed: SmartCouponAccount, revision: int) -> None:
    answer = post(address_of(keyed), signed(campaign(revision), revision)).json()
    campaign_id = made_id(answer, "campaign_id")
    response = post(address_of(keyed, "coupon-detail"), signed(grant(campaign_id, revision), revision))
    assert response.status_code == 200
    assert IssuedCoupon.objects.get().template.coupon_id == campaign_id


@pytest.mark.django_db
@LATER
@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lambda body: body.pop("data_signature"), "signature_required"),
        (lambda body: body.update(data_signature=""), "signature_required"),
        (lambda body: body.update(data_signature="0" * 32), "bad_signature"),
        (lambda body: body.update(data_signature=7), "bad_signature"),
        (lambda body: body.update(data_signature=body["data_signature"][:-1]), "bad_signature"),
    ],
)
def test_without_the_right_signature_it_is_401_and_nothing_is_made(
    keyed: SmartCouponAccount, revision: int, break_it: Callable[[dict[str, Any]], Any], code: str
) -> None:
    body = signed(campaign(revision), revision)
    break_it(body)
    before = made()
    assert code_of(post(address_of(keyed), body)) == (401, code if revision == 2 else "fail")
    assert made() == before


@pytest.mark.django_db
def test_every_changed_field_of_revision_2_breaks_the_signature(keyed: SmartCouponAccount) -> None:
    right = signed(campaign(2), 2)
    before = made()
    for name in set(right) - {"data_signature"}:
        body = {**right, name: f"{right[name]}1" if isinstance(right[name], str) else right[name] + 1}
        assert code_of(post(address_of(keyed), body)) == (401, "bad_signature"), name
    assert code_of(post(address_of(keyed), {**right, "more": 1})) == (401, "bad_signature")
    assert made() == before


@pytest.mark.django_db
def test_every_single_changed_character_of_a_signature_is_refused(keyed: SmartCouponAccount) -> None:
    right = signed(campaign(2), 2)
    signature = right["data_signature"]
    for at, char in enumerate(signature):
        other = "0" if char != "0" else "1"
        body = {**right, "data_signature": signature[:at] + other + signature[at + 1 :]}
        assert post(address_of(keyed), body).status_code == 401
    assert post(address_of(keyed), {**right, "data_signature": signature.lower()}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("away", [-601, 601])
def test_a_moment_more_than_ten_minutes_away_is_stale(keyed: SmartCouponAccount, away: int) -> None:
    body = signed(campaign(3), 3, at=time.time() + away)
    response = post(address_of(keyed), body)
    assert (response.status_code, response.json()["return_msg"][:14]) == (401, "signature_time")
    assert not CouponTemplate.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("told", ["", "soon", "1469707218", "١٤٦٩٧٠٧٢١٨٣٧٣", "-469707218373"])
def test_a_moment_that_is_none_is_refused(keyed: SmartCouponAccount, told: str) -> None:
    body = {**campaign(3), "signature_time": told, "data_signature": platform_sign_time(told, KEY)}
    assert post(address_of(keyed), body).status_code == 401


@pytest.mark.django_db
def test_a_moment_of_revision_3_is_good_for_one_push_and_its_repeats(keyed: SmartCouponAccount) -> None:
    moment = time.time()
    first = signed(campaign(3), 3, at=moment)
    answer = post(address_of(keyed), first)
    assert post(address_of(keyed), first).json() == answer.json()
    response = post(address_of(keyed), signed(campaign(3, coupon_amount=20), 3, at=moment))
    assert response.status_code == 401
    assert "sign each push anew" in response.json()["return_msg"]
    assert post(address_of(keyed), signed(campaign(3, coupon_amount=20), 3, at=moment + 0.001)).status_code == 200
    assert (CouponTemplate.objects.count(), SignatureSeen.objects.count()) == (2, 2)


@pytest.mark.django_db
@pytest.mark.parametrize("window", [0, 5, 600])
def test_what_a_moment_has_made_it_makes_never_again_however_short_the_window(
    keyed: SmartCouponAccount, window: int
) -> None:
    SmartCouponAccount.objects.update(repeat_window_seconds=window)
    campaign_id = made_id(post(address_of(keyed), signed(campaign(3), 3)).json(), "campaign_id")
    url, body = address_of(keyed, "coupon-detail"), grant(campaign_id, 3)
    seen = signed(body, 3)
    first = post(url, seen).json()
    PushAnswer.objects.update(answered_at=timezone.now() - timedelta(seconds=601))
    SignatureSeen.objects.update(seen_at=timezone.now() - timedelta(seconds=602))
    replayed = post(url, seen)
    assert (replayed.status_code, replayed.json()) == (200, first)
    assert IssuedCoupon.objects.count() == 1
    anew = post(url, signed(body, 3))
    assert (anew.status_code, anew.json() == first) == (200, False), "the platform gives it a second time"
    assert post(url, seen).json() == anew.json()
    assert IssuedCoupon.objects.count() == 2


@pytest.mark.django_db
def test_a_refused_push_may_come_again_under_its_moment(keyed: SmartCouponAccount) -> None:
    campaign_id = made_id(post(address_of(keyed), signed(campaign(3), 3)).json(), "campaign_id")
    template, body = CouponTemplate.objects.get(), signed(grant(campaign_id, 3), 3)
    templates.pause(template)
    assert post(address_of(keyed, "coupon-detail"), body).status_code == 409
    templates.publish(template)
    assert post(address_of(keyed, "coupon-detail"), body).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_twenty_forgeries_at_once_under_one_moment_one_is_taken_at_most(
    keyed: SmartCouponAccount, at_once: Callable[[list[Callable[[], Any]]], list[Any]]
) -> None:
    moment = time.time()
    bodies = [signed(campaign(3, coupon_amount=n), 3, at=moment) for n in range(1, 21)]
    answers = at_once([lambda body=body: post(address_of(keyed), body).status_code for body in bodies])
    assert sorted(answers) == [200] + [401] * 19
    assert CouponTemplate.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_equal_pushes_at_once_make_one_coupon(
    keyed: SmartCouponAccount, at_once: Callable[[list[Callable[[], Any]]], list[Any]]
) -> None:
    campaign_id = made_id(post(address_of(keyed), signed(campaign(3), 3)).json(), "campaign_id")
    push, moment = grant(campaign_id, 3), time.time()
    bodies = [signed(push, 3, at=moment + n / 1000) for n in range(20)]
    answers = at_once([lambda body=body: post(address_of(keyed, "coupon-detail"), body).json() for body in bodies])
    assert len({answer["coupon_id"] for answer in answers}) == 1
    assert IssuedCoupon.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_push_sent_eight_times_at_once_makes_one_coupon_without_a_repeat_window(
    keyed: SmartCouponAccount, at_once: Callable[[list[Callable[[], Any]]], list[Any]]
) -> None:
    SmartCouponAccount.objects.update(repeat_window_seconds=0)
    campaign_id = made_id(post(address_of(keyed), signed(campaign(3), 3)).json(), "campaign_id")
    url, body = address_of(keyed, "coupon-detail"), signed(grant(campaign_id, 3), 3)
    answers = at_once([lambda: post(url, body).json()] * 8)
    assert len({answer["coupon_id"] for answer in answers}) == 1
    assert IssuedCoupon.objects.count() == 1


@pytest.mark.django_db
def test_an_account_that_demands_a_signature_takes_no_revision_1(keyed: SmartCouponAccount) -> None:
    assert code_of(post(address_of(keyed), create_push())) == (401, "signature_required")


@pytest.mark.django_db
@LATER
def test_without_a_developer_key_a_push_passes_unless_a_signature_is_demanded(
    platform: SmartCouponAccount, revision: int
) -> None:
    assert post(address_of(platform), campaign(revision)).status_code == 200
    platform.require_signature = True
    platform.save()
    assert post(address_of(platform), signed(campaign(revision, coupon_amount=20), revision)).status_code == 401
    assert CouponTemplate.objects.count() == 1


@pytest.mark.django_db
def test_with_a_developer_key_revision_1_still_passes_where_no_signature_is_demanded(
    keyed: SmartCouponAccount,
) -> None:
    keyed.require_signature = False
    keyed.save()
    assert post(address_of(keyed), create_push()).status_code == 200
    assert code_of(post(address_of(keyed), campaign(2))) == (401, "signature_required")
