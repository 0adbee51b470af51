"""Saving, querying and deleting promotions."""

import re

import pytest

from tests.sandbox.caller import DONE, ENTITY, PROMOTION, Caller, literal, promotion, shanghai_day

DISH = {"promotionType": "5", "ruleList": {"menuIds": "1,2,3"}}


def own_id(answer: str) -> str:
    found = re.search(r'"([0-9a-f]{32})"', answer)
    assert found, answer
    assert answer == literal(f'"{found[1]}"')
    return found[1]


def test_save_answers_the_documents_literal_form_which_is_not_json(till):
    own_id(till.save())


def test_save_again_replaces_the_terms_under_the_same_id(till):
    first = own_id(till.save(title="旧"))
    assert own_id(till.save(title="新")) == first
    [shown] = till.json("query.promotion")["model"]
    assert (shown["title"], shown["thirdPromotionId"], shown["id"]) == ("新", PROMOTION, first)


def test_query_shows_dates_in_epoch_milliseconds_and_the_end_at_midnight_of_the_last_day(till):
    till.save(startTime="20270601", endTime="20270630", ruleList={"chainSuitShopRule": "00026863,00026864"})
    answer = till.json("query.promotion")
    assert answer["totalRecord"] == 0
    [shown] = answer["model"]
    assert set(shown) == {
        *("id", "entityId", "plateEntityId", "title", "startTime", "endTime", "chainStoreIds"),
        "thirdPromotionId",
    }
    assert shown["startTime"] == 1811779200000  # 2027-06-01T00:00+08:00
    assert shown["endTime"] == 1814284800000  # 2027-06-30T00:00+08:00
    assert shown["chainStoreIds"] == ["00026863", "00026864"]


def test_query_finds_by_entity_and_by_shop_and_keeps_brands_and_accounts_apart(till):
    till.save(ruleList={"chainSuitShopRule": "00026863"})
    found = lambda caller, **named: len(caller.json("query.promotion", **named)["model"])  # noqa: E731
    assert found(till) == 1
    assert found(till, entityId="00026863") == 1
    assert found(till, entityId="00026864") == 0
    assert found(till, plateEntityId="1") == 0
    assert found(Caller(till.url, app_key="other-key", secret="other-secret")) == 0


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"promotionType": "1", "dynamicDate": "7", "useRangeTypes": "0,1"},
        {"modeList": {"modeType": "1", "discount": 1}},
        {"modeList": {"modeType": "1", "discount": "99"}},
        {**DISH, "modeList": {"modeType": "4", "saleMoney": 2800}},
        {**DISH, "modeList": {"modeType": "1", "discount": 90}},
        {"ruleList": {}},
        {
            "ruleList": {
                "canNotUseDate": "2017.06.22-2017.06.23,2017.06.26-2017.06.26",
                "canUseDate": "",
                "canUseDateInWeek": "1,2,3,4,5",
                "canUseTime": "00:00-11:00,14:00-17:00,22:00-23:59",
                "chainSuitShopRule": "99612548,99658450",
                "minPayMoney": 1000,
                "perPersonCanGetCouponMaxNum": 10,
                "perPersonPerDayCanGetCouponNum": 0,
            }
        },
    ],
)
def test_good_terms_are_saved(till, changed):
    own_id(till.save(**changed))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("startTime", "2027-06-01"),
        ("endTime", "201706030"),
        ("endTime", "20270231"),
        ("endTime", "20170601"),
        ("cardType", "GIFT"),
        ("promotionType", "2"),
        ("modeList", "[]"),
        ("modeList", "{"),
        ("modeList", [{"modeType": "1", "discount": 90}]),
        ("modeList", {"modeType": 1, "discount": 90}),
        ("modeList", {"modeType": "3", "discount": 90}),
        ("modeList", {"modeType": "1", "discount": 0}),
        ("modeList", {"modeType": "1", "discount": 100}),
        ("modeList", {"modeType": "1", "discount": 9.5}),
        ("modeList", {"modeType": "1", "discount": True}),
        ("modeList", {"modeType": "1", "saveMoney": 1000}),
        ("modeList", {"modeType": "2", "saveMoney": 90}),
        ("modeList", {"modeType": "2", "saveMoney": 1050}),
        ("modeList", {"modeType": "2", "saveMoney": 0}),
        ("modeList", {"modeType": "4", "saleMoney": 2800}),
        ("ruleList", "x"),
        ("ruleList", {"canUseDate": "2017-06-25"}),
        ("ruleList", {"canUseDate": "2017.06.25-2017.06.24"}),
        ("ruleList", {"canUseDate": "2017.02.30-2017.03.01"}),
        ("ruleList", {"canUseDateInWeek": "0"}),
        ("ruleList", {"canUseDateInWeek": "1,8"}),
        ("ruleList", {"canUseDateInWeek": "1,1"}),
        ("ruleList", {"canUseTime": "11:00"}),
        ("ruleList", {"canUseTime": "14:00-11:00"}),
        ("ruleList", {"canUseTime": "22:00-24:00"}),
        ("ruleList", {"chainSuitShopRule": "1, 2"}),
        ("ruleList", {"minPayMoney": "1000"}),
        ("ruleList", {"minPayMoney": -1}),
        ("ruleList", {"perPersonCanGetCouponMaxNum": None}),
        ("ruleList", {"surprise": 1}),
        ("totalNum", "0"),
        ("totalNum", "many"),
        ("totalNum", "9" * 30),
        ("modeList", "[" * 50_000),
        ("dynamicDate", "0"),
        ("dynamicDate", "999999999"),
        ("dynamicDate", "-1"),
        ("useRangeTypes", "2"),
        ("useRangeTypes", "0,0"),
    ],
)
def test_wrong_field_is_refused_in_chinese_and_by_name(till, field, value):
    given = promotion(**{field: value})
    if isinstance(value, list):
        given[field] = '[{"modeType":"1","discount":90}]'
    answer = till.json("save.promotion", **given)
    assert (answer["success"], answer["resultCode"]) == (False, "002")
    assert answer["message"].startswith(f"参数{field}")
    assert till.json("query.promotion")["model"] == []


def test_dish_coupon_needs_its_dishes(till):
    answer = till.json("save.promotion", **promotion(promotionType="5"))
    assert answer["resultCode"] == "002"
    assert "menuIds" in answer["message"]


@pytest.mark.parametrize("name", ["appid", "promotionId", "title", "modeList", "ruleList", "totalNum"])
def test_required_field_must_be_there(till, name):
    assert till.json("save.promotion", **promotion(**{name: ""}))["code"] == "32"


def test_delete_kills_the_coupons_still_held_and_leaves_the_used_ones(stocked):
    stocked.deliver("9002")
    assert stocked.verify("9002") == DONE
    assert stocked.text("delete.promotion", promotionId=PROMOTION) == DONE
    assert stocked.json("query.promotion")["model"] == []
    assert stocked.held() == {"9002": 1}
    assert stocked.coupon("9001")["status"] == "killed"
    assert '"016"' in stocked.verify("9001")
    assert stocked.deliver("9003")["resultCode"] == "003"


def test_delete_of_an_unknown_promotion_is_refused(till):
    assert till.json("delete.promotion", promotionId="1")["resultCode"] == "003"


def test_promotion_can_be_named_by_dfires_own_id(till):
    named = own_id(till.save())
    assert till.deliver("9001", promotion_id=named)["model"]["promotionId"] == named
    assert till.verify("9001", promotion_id=named) == DONE
    assert till.text("delete.promotion", promotionId=named) == DONE


def test_promotion_of_another_brand_or_account_is_unknown(stocked):
    assert stocked.deliver("9002", plateEntityId="1")["resultCode"] == "003"
    other = Caller(stocked.url, app_key="other-key", secret="other-secret")
    assert other.deliver("9002")["resultCode"] == "003"
    assert other.json("delete.promotion", promotionId=PROMOTION)["resultCode"] == "003"
    assert stocked.coupon("9001")["status"] == "held"


def test_deleted_promotion_comes_back_when_it_is_saved_again(till):
    till.save()
    till.text("delete.promotion", promotionId=PROMOTION)
    till.save(endTime=shanghai_day(5))
    assert till.deliver("9001")["model"]["deliverSuccess"] is True
    assert ENTITY["entityId"] == till.coupon("9001")["entity_id"]
