"""A coupon's terms in one sentence, in both languages: every kind, and everything that restricts its use."""

from datetime import date
from typing import Any

import pytest
from django.utils import translation

from coupons.money import yuan
from coupons.sentences import sentence, tenths, weekdays_in_words
from coupons.terms import Terms

PLAIN: dict[str, Any] = {
    "kind": "cash", "title": "满50减10", "amount_fen": 1000, "percent_paid": None, "min_spend_fen": 5000,
    "menu_ids": (), "start_date": date(2026, 11, 1), "end_date": date(2026, 12, 31), "valid_days": 15,
    "shop_entity_ids": (), "use_weekdays": (), "use_times": (), "use_dates": (), "blackout_dates": (),
    "channels": (), "notice": "",
}  # fmt: skip
SHORT = {"valid_days": 1}
DISCOUNT = {"kind": "discount", "amount_fen": None}
DISHES = {**SHORT, "menu_ids": ("M1", "M2")}
END, ALL = ", all shops, valid on the day of receipt", "，全部门店，领取当日有效"

CASES: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "everything at a lunch",
        {"use_weekdays": (1, 2, 3, 4, 5), "use_times": ("11:00-14:00",), "shop_entity_ids": ("1", "2", "3")},
        "¥10 off from ¥50, Mon–Fri 11:00–14:00, 3 shops, valid 15 days from receipt",
        "满50减10，周一至周五 11:00–14:00，3家门店，领取后15天内有效",
    ),
    ("no least spend", {**SHORT, "min_spend_fen": 0}, f"¥10 off{END}", f"减10元{ALL}"),
    ("parts of a yuan", {**SHORT, "min_spend_fen": 5050}, f"¥10 off from ¥50.50{END}", f"满50.50减10{ALL}"),
    (
        "a discount",
        {**SHORT, **DISCOUNT, "percent_paid": 90, "min_spend_fen": 0},
        f"pay 90%{END}",
        f"9折{ALL}",
    ),
    (
        "a discount of half tenths",
        {**SHORT, **DISCOUNT, "percent_paid": 85, "min_spend_fen": 10000},
        f"pay 85% from ¥100{END}",
        f"满100享8.5折{ALL}",
    ),
    (
        "cash off dishes",
        {**DISHES, "kind": "dish_cash"},
        f"¥10 off 2 chosen dishes, on bills from ¥50{END}",
        f"指定2款菜品减10元，消费满50元可用{ALL}",
    ),
    (
        "a discount on a dish",
        {**DISHES, "kind": "dish_discount", "amount_fen": None, "percent_paid": 88, "min_spend_fen": 0,
         "menu_ids": ("M1",)},
        f"pay 88% for 1 chosen dish{END}",
        f"指定1款菜品8.8折{ALL}",
    ),
    (
        "dishes at a price",
        {**DISHES, "kind": "dish_price", "min_spend_fen": 0},
        f"2 chosen dishes for ¥10{END}",
        f"指定2款菜品特价10元{ALL}",
    ),
    (
        "dishes that are not named yet",
        {**DISHES, "kind": "dish_price", "min_spend_fen": 0, "menu_ids": ()},
        f"chosen dishes for ¥10{END}",
        f"指定菜品特价10元{ALL}",
    ),
    (
        "worth that is not known yet",
        {**SHORT, "amount_fen": None},
        f"worth not entered yet{END}",
        f"优惠内容未填写{ALL}",
    ),
    (
        "several hours",
        {**SHORT, "use_times": ("11:00-14:00", "17:00-21:00")},
        f"¥10 off from ¥50, 11:00–14:00, 17:00–21:00{END}",
        f"满50减10，11:00–14:00、17:00–21:00{ALL}",
    ),
    (
        "dates of use and excluded ones",
        {**SHORT, "use_dates": ("2026-12-01/2026-12-24",), "blackout_dates": ("2026-12-05", "2026-12-06/2026-12-07")},
        f"¥10 off from ¥50, only on Dec. 1, 2026 to Dec. 24, 2026, "
        f"not on Dec. 5, 2026, Dec. 6, 2026 to Dec. 7, 2026{END}",
        f"满50减10，仅限2026年12月1日至2026年12月24日使用，2026年12月5日、2026年12月6日至2026年12月7日不可用{ALL}",
    ),
    ("one channel", {**SHORT, "channels": ("dine_in",)}, f"¥10 off from ¥50, dine in only{END}",
     f"满50减10，仅限堂食{ALL}"),
    ("both channels", {**SHORT, "channels": ("take_away", "dine_in")}, f"¥10 off from ¥50{END}", f"满50减10{ALL}"),
    (
        "one shop without a name",
        {**SHORT, "shop_entity_ids": ("1",)},
        "¥10 off from ¥50, 1 shop, valid on the day of receipt",
        "满50减10，1家门店，领取当日有效",
    ),
    (
        "to an end date",
        {"valid_days": None},
        "¥10 off from ¥50, all shops, valid until Dec. 31, 2026",
        "满50减10，全部门店，有效期至2026年12月31日",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "english"), [(c[1], c[2]) for c in CASES], ids=[c[0] for c in CASES])
def test_terms_in_an_english_sentence(changes: dict[str, Any], english: str) -> None:
    with translation.override("en"):
        assert sentence(Terms(**{**PLAIN, **changes})) == english


@pytest.mark.parametrize(("changes", "chinese"), [(c[1], c[3]) for c in CASES], ids=[c[0] for c in CASES])
def test_terms_in_a_chinese_sentence(changes: dict[str, Any], chinese: str) -> None:
    with translation.override("zh-hans"):
        assert sentence(Terms(**{**PLAIN, **changes})) == chinese


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ((), ""),
        ((1, 2, 3, 4, 5, 6, 7), ""),
        ((5, 1, 3, 2, 4), "Mon–Fri"),
        ((1, 2, 3, 6), "Mon–Wed, Sat"),
        ((6, 7), "Sat, Sun"),
        ((1, 3, 5), "Mon, Wed, Fri"),
        ((1, 5, 6, 7), "Mon, Fri–Sun"),
        ((4,), "Thu"),
        ((0, 9), ""),
    ],
)
def test_weekdays_are_put_together(days: tuple[int, ...], words: str) -> None:
    with translation.override("en"):
        assert weekdays_in_words(days) == words


def test_one_shop_is_named_and_its_name_is_taken_as_it_is() -> None:
    terms = Terms(**{**PLAIN, "shop_entity_ids": ("1",)})
    with translation.override("en"):
        assert ", {first} 100%s, valid" in sentence(terms, shop_name="{first} 100%s")
        assert ", 2 shops, valid" in sentence(
            Terms(**{**PLAIN, "shop_entity_ids": ("1", "2")}), shop_name="not this one"
        )


def test_what_is_no_range_of_dates_is_shown_as_it_stands() -> None:
    with translation.override("en"):
        assert "not on someday" in sentence(Terms(**{**PLAIN, "blackout_dates": ("someday",)}))


@pytest.mark.parametrize(("fen", "words"), [(1000, "10"), (1050, "10.50"), (5, "0.05"), (0, "0")])
def test_fen_as_yuan(fen: int, words: str) -> None:
    assert yuan(fen) == words


@pytest.mark.parametrize(("percent", "words"), [(90, "9"), (85, "8.5"), (99, "9.9"), (5, "0.5")])
def test_percent_paid_as_tenths(percent: int, words: str) -> None:
    assert tenths(percent) == words
