"""What is said of a template before it is saved: each remark, and silence where there is nothing to say."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import translation

from coupons.advice import Limits, advice_on
from coupons.terms import Terms
from tests.coupons.test_sentences import PLAIN

TODAY = date(2026, 11, 10)  # a Tuesday; PLAIN runs from 2026-11-01 to 2026-12-31
SENSIBLE = {"shop_entity_ids": ("1",)}
STOCK = Limits(stock=100)


def said(limits: Limits = STOCK, *, level: str = "warning", **changes: Any) -> list[str]:
    with translation.override("en"):
        found = advice_on(Terms(**{**PLAIN, **SENSIBLE, **changes}), limits, today=TODAY)
    return [one.words for one in found if one.level == level]


def test_nothing_is_said_against_a_sensible_coupon() -> None:
    assert said() == []
    assert said(level="info") == ["If all 100 are used, it costs up to ¥1000."]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"min_spend_fen": 1000}, "It takes off ¥10 from a bill of ¥10 on: the whole bill and more."),
        ({"min_spend_fen": 0}, "There is no least spend: a bill of up to ¥10 costs nothing."),
        (
            {"kind": "discount", "amount_fen": None, "percent_paid": 9},
            "The customer pays only 9 percent. Was 90 meant?",
        ),
        (
            {"start_date": date(2026, 10, 1), "end_date": date(2026, 11, 9)},
            "Its end date Nov. 9, 2026 has passed: none can be issued.",
        ),
        (
            {"end_date": date(2026, 11, 12), "valid_days": 4},
            "It is issued for 3 days more, and valid for longer: the last ones until Nov. 15, 2026.",
        ),
        (
            {"use_dates": ("2027-02-01/2027-02-07",)},
            "None of the dates of use lies within its validity: it can never be used.",
        ),
        (
            {"use_dates": ("2026-11-01/2026-11-09",)},
            "None of the dates of use lies within its validity: it can never be used.",
        ),
        (
            {"use_dates": ("2026-11-14/2026-11-15",), "use_weekdays": (1, 2, 3, 4, 5)},
            "No date of use falls on one of the weekdays: it can never be used.",
        ),
        (
            {"blackout_dates": ("2026-11-01/2027-01-31",)},
            "Every day on which it could be used is excluded.",
        ),
        (
            {"use_weekdays": (6,), "use_dates": ("2026-11-10/2026-11-20",), "blackout_dates": ("2026-11-14",)},
            "Every day on which it could be used is excluded.",
        ),
        ({"use_times": ("17:00-21:00", "11:00-17:01")}, "Some of the hours overlap."),
    ],
)
def test_a_likely_slip_is_named(changes: dict[str, Any], words: str) -> None:
    assert said(**changes) == [words]


@pytest.mark.parametrize(
    "changes",
    [
        {"min_spend_fen": 1100},
        {"kind": "discount", "amount_fen": None, "percent_paid": 10},
        {"kind": "dish_price", "menu_ids": ("1",), "min_spend_fen": 0},
        {"end_date": date(2026, 11, 10), "valid_days": 1},
        {"end_date": date(2026, 11, 13), "valid_days": 4},
        {"valid_days": None, "end_date": date(2026, 11, 10)},
        {"blackout_dates": ("2026-11-11/2027-01-31",)},
        {"use_dates": ("2026-11-14/2026-11-15",), "use_weekdays": (7,)},
        {"use_times": ("11:00-14:00", "14:00-17:00")},
        # Years of days are not looked at one by one.
        {"end_date": date(2026, 11, 10) + timedelta(days=20_000), "blackout_dates": ("2000-01-01/2199-01-01",)},
    ],
)
def test_what_only_looks_like_a_slip_is_let_be(changes: dict[str, Any]) -> None:
    assert said(**changes) == []


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (
            Limits(stock=5, budget_fen=999),
            "The budget of ¥9.99 does not pay for one coupon of ¥10: none can be issued.",
        ),
        (Limits(stock=0), "The stock is 0: none can be issued."),
        (
            Limits(stock=9, per_person=1, per_person_daily=2),
            "One person may get more in a day (2) than in all (1).",
        ),
    ],
)
def test_limits_that_defeat_each_other_are_named(limits: Limits, words: str) -> None:
    assert said(limits) == [words]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(), ["Neither stock nor budget: as many are issued as are asked for."]),
        (Limits(stock=1), ["If it is used, it costs up to ¥10."]),
        (Limits(budget_fen=10_500), ["The budget pays for 10 coupons."]),
        (Limits(stock=11, budget_fen=10_000), ["The budget pays for 10 coupons."]),
        (Limits(stock=10, budget_fen=10_000), ["If all 10 are used, it costs up to ¥100."]),
    ],
)
def test_what_it_may_cost_is_said(limits: Limits, words: list[str]) -> None:
    assert said(limits, level="info") == words


def test_of_a_discount_the_cost_is_known_only_where_staff_say_it() -> None:
    discount = {"kind": "discount", "amount_fen": None, "percent_paid": 90}
    assert said(Limits(stock=10), level="info", **discount) == []
    words = ["If all 10 are used, it costs up to ¥300."]
    assert said(Limits(stock=10, cost_each_fen=3000), level="info", **discount) == words


def test_no_shop_means_all_shops() -> None:
    words = said(level="info", shop_entity_ids=())
    assert words[-1] == "No shop is chosen: it holds in all shops of the merchant."
