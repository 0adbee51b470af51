"""A create-coupon push (seed 000) makes a published template with exactly the terms it says."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from coupons.choices import Kind, TemplateStatus
from coupons.models import CouponTemplate
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind
from merchants.clock import local_day
from merchants.models import Merchant, SmartCouponAccount
from tests.hooks.helpers import ABSENT, address_of, create_push, last_push, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def create(platform: SmartCouponAccount) -> Any:
    """Push, and return the template that was made."""

    def push(**changes: Any) -> CouponTemplate:
        response = post(address_of(platform), create_push(**changes))
        assert response.status_code == 200, response.content
        body = response.json()
        assert list(body) == ["result"]
        assert list(body["result"]) == ["coupon_id"]
        return CouponTemplate.objects.get(coupon_id=body["result"]["coupon_id"])

    return push


def test_the_seeds_sample_becomes_a_published_template(create: Any, merchant: Merchant) -> None:
    template = create(min_buy_price=50)
    assert template.merchant == merchant
    assert (template.title, template.kind, template.status) == ("现金券", Kind.CASH, TemplateStatus.PUBLISHED)
    assert (template.amount_fen, template.percent_paid, template.min_spend_fen) == (1000, None, 5000)
    assert template.start_date == local_day(timezone.now())
    assert (template.valid_days, template.stock, template.per_person_limit) == (None, None, None)
    assert template.source_account is not None


def test_the_id_answered_is_ten_digits_and_a_text(create: Any) -> None:
    template = create()
    assert template.coupon_id.isdigit()
    assert len(template.coupon_id) == 10


def test_the_template_goes_to_dfire_in_the_same_transaction(create: Any) -> None:
    template = create()
    assert OutboxRow.objects.get(template=template).kind == RowKind.SAVE_PROMOTION


def test_the_push_is_kept_with_its_answer(create: Any, platform: SmartCouponAccount) -> None:
    template = create()
    push = last_push()
    assert (push.account, push.address, push.revision, push.status) == (platform, "coupon", 1, 200)
    assert push.template == template
    assert push.answer == {"result": {"coupon_id": template.coupon_id}}
    assert "现金券" in push.body


@pytest.mark.parametrize("garbage", [None, "", "x", 0, -3, 1e9, [], {}, True, 10**30])
def test_a_fixed_end_ignores_the_interval(create: Any, garbage: Any) -> None:
    assert create(expiration_type=1, expiration_interval=garbage).valid_days is None


@pytest.mark.parametrize("garbage", [None, "", "x", 5, "2016-05-01 23:59:59", [], {}, True, "2026-02-30 00:00:00"])
def test_days_after_receipt_ignore_the_time(create: Any, garbage: Any) -> None:
    template = create(expiration_type=2, expiration_interval=7, expiration_time=garbage)
    assert template.valid_days == 7


def test_days_after_receipt_run_for_three_years(create: Any) -> None:
    template = create(expiration_type=2, expiration_interval=7, expiration_time=ABSENT)
    today = local_day(timezone.now())
    assert template.start_date == today
    assert template.end_date.year == today.year + 3


@pytest.mark.parametrize(
    ("told", "last_day"),
    [
        ("2099-05-01 23:59:59", date(2099, 5, 1)),
        ("2099-05-01 00:00:01", date(2099, 5, 1)),
        ("2099-05-01 00:00:00", date(2099, 4, 30)),
        ("2099-03-01 00:00:00", date(2099, 2, 28)),
        ("2096-02-29 12:00:00", date(2096, 2, 29)),
    ],
)
def test_an_end_at_midnight_belongs_to_the_day_before_in_shanghai(create: Any, told: str, last_day: date) -> None:
    assert create(expiration_time=told).end_date == last_day


def test_an_end_later_today_is_taken(create: Any) -> None:
    now = timezone.now()
    tomorrow = local_day(now) + timedelta(days=1)
    assert create(expiration_time=f"{tomorrow} 00:00:00").end_date == local_day(now)


@pytest.mark.parametrize("nothing", [ABSENT, None, 0, 0.0, -0.0])
def test_no_least_spend_is_zero(create: Any, nothing: Any) -> None:
    assert create(min_buy_price=nothing).min_spend_fen == 0


@pytest.mark.parametrize(("yuan", "fen"), [(0.01, 1), (50, 5000), (49.9, 4990), (100000, 10_000_000)])
def test_a_least_spend_is_exact_to_the_fen(create: Any, yuan: float, fen: int) -> None:
    assert create(min_buy_price=yuan).min_spend_fen == fen


@pytest.mark.parametrize("told", [88, "88", " 88 "])
def test_a_merchants_id_may_come_as_a_number(create: Any, merchant: Merchant, told: Any) -> None:
    assert create(merchant_id=told).merchant == merchant


def test_fields_that_are_not_known_are_ignored(create: Any) -> None:
    assert create(notice="x", shop=[1, {"a": None}]).title == "现金券"


def test_a_title_keeps_its_words_without_the_blanks_around(create: Any) -> None:
    assert create(coupon_name=" 🎉 <b>满50减10</b> \n").title == "🎉 <b>满50减10</b>"


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", ""])
def test_json_is_taken_under_its_names_and_without_one(platform: SmartCouponAccount, media_type: str) -> None:
    assert post(address_of(platform), create_push(), media_type).status_code == 200


def test_whatever_the_caller_accepts_it_gets_json(platform: SmartCouponAccount) -> None:
    response = post(address_of(platform), create_push(), HTTP_ACCEPT="text/html")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/json")
