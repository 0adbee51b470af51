"""Terms are checked in our words and sent in dfire's."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from integrations.dfire import Channel, Discount, PromotionTerms, SalePrice, SaveMoney
from integrations.dfire.params import dfire_weekdays, mode_list, save_params, wire_date, wire_fen

TERMS = PromotionTerms(
    promotion_id="1001",
    promotion_type="1",
    appid="wx0000000000822",
    entity_id="99927548",
    plate_entity_id="99927571",
    title="9折优惠券",
    start_date=date(2017, 6, 1),
    end_date=date(2017, 6, 30),
    mode=Discount(90),
    total_num=100,
    shop_entity_ids=("00026863",),
    per_person_limit=10,
)
DISH = replace(TERMS, promotion_type="5", mode=SalePrice(2800), menu_ids=("1", "2", "3"))


def rules(terms):
    return json.loads(save_params(terms)["ruleList"])


def test_the_samples_promotion_is_sent_as_the_seed_prints_it():
    assert save_params(TERMS) == {
        "promotionType": "1",
        "appid": "wx0000000000822",
        "promotionId": "1001",
        "cardType": "GENERAL_COUPON",
        "entityId": "99927548",
        "plateEntityId": "99927571",
        "title": "9折优惠券",
        "startTime": "20170601",
        "endTime": "20170630",
        "modeList": '{"modeType":"1","discount":90}',
        "ruleList": '{"canNotUseDate":"","canUseDate":"","canUseDateInWeek":"","canUseTime":"",'
        '"chainSuitShopRule":"00026863","minPayMoney":0,"perPersonCanGetCouponMaxNum":10,'
        '"perPersonPerDayCanGetCouponNum":100}',
        "totalNum": "100",
        "dynamicDate": "",
        "useRangeTypes": "",
    }


def test_every_rule_has_its_place():
    terms = replace(
        TERMS,
        blackout_ranges=((date(2017, 6, 22), date(2017, 6, 23)), (date(2017, 6, 26), date(2017, 6, 26))),
        usable_ranges=((date(2017, 6, 25), date(2017, 6, 25)),),
        weekdays=(1, 5),
        time_windows=((time(0, 0), time(11, 0)), (time(22, 0), time(23, 59))),
        shop_entity_ids=("99612548", "99658450"),
        min_pay_fen=1000,
        per_person_limit=200,
        per_person_daily_limit=3,
        valid_days=30,
        channels=(Channel.TAKE_AWAY, Channel.DINE_IN),
    )
    assert rules(terms) == {
        "canNotUseDate": "2017.06.22-2017.06.23,2017.06.26-2017.06.26",
        "canUseDate": "2017.06.25-2017.06.25",
        "canUseDateInWeek": "2,6",
        "canUseTime": "00:00-11:00,22:00-23:59",
        "chainSuitShopRule": "99612548,99658450",
        "minPayMoney": 1000,
        "perPersonCanGetCouponMaxNum": 200,
        "perPersonPerDayCanGetCouponNum": 3,
    }
    params = save_params(terms)
    assert (params["dynamicDate"], params["useRangeTypes"]) == ("30", "0,1")


@pytest.mark.parametrize(("iso", "dfire"), [(1, "2"), (2, "3"), (3, "4"), (4, "5"), (5, "6"), (6, "7"), (7, "1")])
def test_each_weekday_counts_from_sunday_at_dfire(iso, dfire):
    assert dfire_weekdays([iso]) == dfire


def test_weekdays_are_ascending_and_single():
    assert dfire_weekdays([7, 1, 1, 6]) == "1,2,7"
    assert dfire_weekdays([]) == ""


@pytest.mark.parametrize(
    ("mode", "sent"),
    [
        (Discount(1), '{"modeType":"1","discount":1}'),
        (Discount(99), '{"modeType":"1","discount":99}'),
        (SaveMoney(1000), '{"modeType":"2","saveMoney":1000}'),
        (SalePrice(2800), '{"modeType":"4","saleMoney":2800}'),
    ],
)
def test_the_mode_is_one_object_in_fen_or_percent(mode, sent):
    assert mode_list(mode) == sent


@pytest.mark.parametrize("mode", [Discount(80), SaveMoney(500), SalePrice(2800)])
def test_a_dish_coupon_takes_every_mode_and_sends_its_dishes(mode):
    params = save_params(replace(DISH, mode=mode))
    assert params["promotionType"] == "5"
    assert list(json.loads(params["ruleList"]))[-1] == "menuIds"
    assert json.loads(params["ruleList"])["menuIds"] == "1,2,3"


def test_every_value_is_a_string_and_chinese_stays_readable():
    params = save_params(replace(DISH, title="第二件半价", shop_entity_ids=("店",)))
    assert all(isinstance(value, str) for value in params.values())
    assert "店" in params["ruleList"]


@pytest.mark.parametrize("percent", [0, 100, -1, 7.5, "90", True, None])
def test_a_discount_outside_1_to_99_is_refused(percent):
    with pytest.raises(ValueError, match="percent_paid"):
        Discount(percent)


@pytest.mark.parametrize("mode", [SaveMoney, SalePrice])
@pytest.mark.parametrize("fen", [0, -100, 50, 150, 100.0, "100", True])
def test_money_that_is_not_whole_yuan_is_refused(mode, fen):
    with pytest.raises(ValueError, match="fen"):
        mode(fen)


MIDNIGHT = datetime(2017, 6, 1, tzinfo=UTC)
BACKWARDS = (date(2017, 6, 2), date(2017, 6, 1))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("promotion_id", ""),
        ("promotion_id", 1001),
        ("appid", " "),
        ("entity_id", ""),
        ("plate_entity_id", ""),
        ("title", "\n"),
        ("promotion_type", "2"),
        ("promotion_type", 1),
        ("mode", SalePrice(100)),
        ("mode", {"modeType": "1"}),
        ("menu_ids", ("1",)),
        ("end_date", date(2017, 5, 31)),
        ("end_date", MIDNIGHT),
        ("blackout_ranges", (BACKWARDS,)),
        ("blackout_ranges", ((MIDNIGHT, MIDNIGHT),)),
        ("usable_ranges", (BACKWARDS,)),
        ("weekdays", (0,)),
        ("weekdays", (8,)),
        ("weekdays", ("1",)),
        ("time_windows", ((time(11), time(11)),)),
        ("time_windows", ((time(22), time(2)),)),
        ("time_windows", ((time(1, 0, 30), time(2)),)),
        ("shop_entity_ids", ("1,2",)),
        ("shop_entity_ids", ("",)),
        ("min_pay_fen", -1),
        ("min_pay_fen", 10.0),
        ("per_person_limit", 0),
        ("per_person_daily_limit", 0),
        ("total_num", 0),
        ("total_num", "100"),
        ("valid_days", 0),
        ("channels", ("drone",)),
    ],
)
def test_wrong_terms_are_refused_by_the_name_of_the_field(field, value):
    with pytest.raises(ValueError, match=f"^{field}: "):
        replace(TERMS, **{field: value})


@pytest.mark.parametrize("menu_ids", [(), ("1,2",), (" ",)])
def test_a_dish_coupon_needs_its_dishes(menu_ids):
    with pytest.raises(ValueError, match=r"^menu_ids: "):
        replace(DISH, menu_ids=menu_ids)


def test_dates_keep_their_zeros_and_a_moment_is_no_date():
    assert wire_date(date(2017, 1, 2)) == "20170102"
    assert wire_date(date(999, 1, 2)) == "09990102"
    with pytest.raises(TypeError):
        wire_date(MIDNIGHT)


@pytest.mark.parametrize("fen", [-1, 1.0, "1", True, None])
def test_amounts_are_whole_fen(fen):
    with pytest.raises(ValueError, match="paid_fen"):
        wire_fen("paid_fen", fen)
