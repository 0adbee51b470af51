"""Each rule by itself: what passes, what fails with which code and in which words, and what was not asked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from coupons.choices import CouponStatus, Delivery, Kind
from coupons.rules import Question, RuleName, Subject, Verdict
from tests.coupons.rules import TUESDAY_NOON, ask, at, codes, subject, terms


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def words(one: Subject, name: RuleName, **asked: Any) -> str:
    return ask(one, **asked).rule(name).words


def test_a_plain_coupon_can_be_used_and_every_rule_says_so_in_order() -> None:
    judgement = ask(subject())
    assert judgement.usable
    assert judgement.reasons == ()
    assert [rule.name for rule in judgement.rules] == list(RuleName)
    assert {rule.verdict for rule in judgement.rules} == {Verdict.PASS}
    assert all(rule.words and rule.code is None for rule in judgement.rules)
    assert judgement.next_usable_at == TUESDAY_NOON


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (CouponStatus.REDEEMING, "redeeming"),
        (CouponStatus.REDEEMED, "already_redeemed"),
        (CouponStatus.REVOKED, "revoked"),
        (CouponStatus.EXPIRED, "expired"),
    ],
)
def test_a_status_that_forbids_the_use_leaves_no_next_moment(status: CouponStatus, code: str) -> None:
    judgement = ask(subject(status=status))
    assert codes(judgement) == [code]
    assert judgement.next_usable_at is None


@pytest.mark.parametrize("delivery", [Delivery.QUEUED, Delivery.WAITING, Delivery.FAILED])
def test_what_dfire_does_not_hold_is_not_usable_but_has_its_next_moment(delivery: Delivery) -> None:
    judgement = ask(subject(terms(use_times=("18:00-20:00",)), delivery=delivery))
    assert codes(judgement) == ["not_delivered", "outside_hours"]
    assert judgement.next_usable_at == at(1, 18)


def test_an_expired_coupon_says_so_once() -> None:
    judgement = ask(subject(status=CouponStatus.EXPIRED), at(32))
    assert codes(judgement) == ["expired"]
    assert judgement.rule(RuleName.VALID_UNTIL).fails


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(1, 9, 59, 59), ["not_yet_valid"]),
        (at(1, 10), []),
        (at(31, 23, 59, 59).replace(microsecond=999999), []),
        (at(32), ["expired"]),
    ],
)
def test_the_first_and_the_last_second_count(moment: datetime, expected: list[str]) -> None:
    received = at(1, 10).replace(microsecond=700000)
    assert codes(ask(subject(valid_from=received), moment)) == expected


def test_days_and_hours_are_those_of_shanghai() -> None:
    mondays_at_noon = subject(terms(use_weekdays=(1,), use_times=("00:00-00:59",)))
    assert ask(mondays_at_noon, datetime(2026, 12, 6, 16, 30, tzinfo=UTC)).usable  # 00:30 on Monday in Shanghai
    assert codes(ask(mondays_at_noon, datetime(2026, 12, 7, 16, 30, tzinfo=UTC))) == ["wrong_weekday"]


@pytest.mark.parametrize(
    ("moment", "usable"),
    [
        (at(1, 10, 59, 59), False),
        (at(1, 11), True),
        (at(1, 14, 0, 59), True),
        (at(1, 14, 1), False),
        (at(1, 22), True),
        (at(1, 23, 59, 59), True),
        (at(2), False),
    ],
)
def test_the_last_minute_of_the_hours_is_in_them(moment: datetime, usable: bool) -> None:
    judgement = ask(subject(terms(use_times=("11:00-14:00", "22:00-23:59"))), moment)
    assert judgement.usable is usable
    assert codes(judgement) == ([] if usable else ["outside_hours"])


def test_dates_of_use_and_excluded_dates() -> None:
    holidays = subject(terms(use_dates=("2026-12-24/2026-12-26",), blackout_dates=("2026-12-25",)))
    assert codes(ask(holidays, at(23, 12))) == ["not_on_this_date"]
    assert codes(ask(holidays, at(24, 12))) == []
    assert codes(ask(holidays, at(25, 12))) == ["excluded_date"]
    assert codes(ask(holidays, at(26, 23, 59, 59))) == []


@pytest.mark.parametrize(
    ("shop", "verdict", "code"),
    [
        (None, Verdict.NOT_ASKED, None),
        ("00026863", Verdict.PASS, None),
        ("00026864", Verdict.FAIL, "wrong_shop"),
        ("99999999", Verdict.FAIL, "wrong_shop"),
    ],
)
def test_the_shop(shop: str | None, verdict: Verdict, code: str | None) -> None:
    rule = ask(subject(terms(shop_entity_ids=("00026863",))), shop_entity_id=shop).rule(RuleName.SHOP)
    assert (rule.verdict, rule.code) == (verdict, code)


def test_a_coupon_for_all_shops_is_not_for_another_merchants() -> None:
    assert ask(subject(), shop_entity_id="00026864").usable
    assert codes(ask(subject(), shop_entity_id="99999999")) == ["wrong_shop"]
    assert ask(subject(shops=None), shop_entity_id="99999999").usable  # where the merchant's shops are not known


@pytest.mark.parametrize(
    ("channel", "verdict"),
    [(None, Verdict.NOT_ASKED), ("dine_in", Verdict.PASS), ("take_away", Verdict.FAIL)],
)
def test_the_channel(channel: str | None, verdict: Verdict) -> None:
    judgement = ask(subject(terms(channels=("dine_in",))), channel=channel)
    assert judgement.rule(RuleName.CHANNEL).verdict is verdict
    assert codes(judgement) == (["wrong_channel"] if verdict is Verdict.FAIL else [])


@pytest.mark.parametrize(
    ("bill", "verdict"),
    [(None, Verdict.NOT_ASKED), (0, Verdict.FAIL), (4999, Verdict.FAIL), (5000, Verdict.PASS)],
)
def test_the_least_spend(bill: int | None, verdict: Verdict) -> None:
    judgement = ask(subject(terms(min_spend_fen=5000)), amount_fen=bill)
    assert judgement.rule(RuleName.LEAST_SPEND).verdict is verdict
    assert codes(judgement) == (["below_minimum"] if verdict is Verdict.FAIL else [])


def test_dishes_are_left_to_the_till() -> None:
    rule = ask(subject(terms(kind=Kind.DISH_PRICE.value, menu_ids=("10086",)))).rule(RuleName.DISHES)
    assert rule.verdict is Verdict.NOT_ASKED
    assert "10086" in rule.words


def test_everything_that_forbids_is_told_at_once_in_order() -> None:
    under = terms(
        min_spend_fen=5000, use_weekdays=(6, 7), use_times=("18:00-20:00",), channels=("dine_in",),
        shop_entity_ids=("00026863",), use_dates=("2026-12-24",), blackout_dates=("2026-12-01",),
    )  # fmt: skip
    spoilt = subject(under, status=CouponStatus.REVOKED, delivery=Delivery.FAILED, valid_from=at(2))
    judgement = ask(spoilt, shop_entity_id="00026864", channel="take_away", amount_fen=100)
    assert codes(judgement) == [
        "revoked", "not_delivered", "not_yet_valid", "wrong_weekday", "outside_hours", "not_on_this_date",
        "excluded_date", "wrong_shop", "wrong_channel", "below_minimum",
    ]  # fmt: skip


def test_the_words_carry_the_coupons_own_facts() -> None:
    under = terms(
        use_weekdays=(1, 3, 4, 5), use_times=("22:00-23:59", "11:00-14:00"), min_spend_fen=5050,
        shop_entity_ids=("00026863",), channels=("dine_in",),
    )  # fmt: skip
    one = subject(under)
    assert words(one, RuleName.WEEKDAY) == "Tuesday is not one of its weekdays (Monday, Wednesday–Friday)."
    assert words(one, RuleName.HOURS) == "12:30 is within its hours (11:00–14:00, 22:00–24:00)."
    assert words(one, RuleName.LEAST_SPEND, amount_fen=4000) == "The bill of ¥40 is ¥10.50 short of ¥50.50."
    assert words(one, RuleName.SHOP, shop_entity_id="00026864") == "滨江店 is not one of its shops (西湖店)."
    assert words(one, RuleName.VALID_UNTIL) == "It is valid until 2026-12-31 23:59:59."


def test_long_lists_are_cut_and_what_is_over_is_left_out() -> None:
    days = tuple(f"2026-12-{day:02}" for day in range(1, 31, 3))
    said = words(subject(terms(use_dates=days)), RuleName.DATES, moment=at(6, 12))
    assert "2026-12-04" not in said
    assert "2026-12-07, 2026-12-10" in said
    assert "and 2 more" in said


def test_the_words_are_in_the_active_language() -> None:
    with translation.override("zh-hans"):
        assert "周二" in words(subject(terms(use_weekdays=(1,))), RuleName.WEEKDAY)


@pytest.mark.parametrize(
    "wrong",
    [
        {"moment": datetime(2026, 12, 1)},  # noqa: DTZ001  (naive is the point)
        {"moment": datetime.max.replace(tzinfo=UTC)},
        {"moment": TUESDAY_NOON, "amount_fen": -1},
        {"moment": TUESDAY_NOON, "channel": "by_post"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"moment|bill|channel"):
        Question(**wrong)
